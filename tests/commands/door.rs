//! A door that takes TLS off in front of a server.

use rustls::pki_types::PrivatePkcs8KeyDer;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Opens a door to a port, with a certificate that is written to a file. It stands as long as the test.
pub fn door(to: u16, certificate: &Path) -> u16 {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    std::fs::write(certificate, made.cert.pem()).unwrap();
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key.into())
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        while let Ok((socket, _)) = listener.accept() {
            let session = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            let server = TcpStream::connect(("127.0.0.1", to)).unwrap();
            std::thread::spawn(move || carry(rustls::StreamOwned::new(session, socket), server));
        }
    });
    port
}

/// Carries bytes both ways until either end closes.
fn carry(
    mut client: rustls::StreamOwned<rustls::ServerConnection, TcpStream>,
    mut server: TcpStream,
) {
    let glance = Some(Duration::from_millis(2));
    client.sock.set_read_timeout(glance).unwrap();
    server.set_read_timeout(glance).unwrap();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        for to_server in [true, false] {
            let read = if to_server { client.read(&mut buffer) } else { server.read(&mut buffer) };
            let written = match read {
                Ok(count @ 1..) if to_server => server.write_all(&buffer[..count]),
                Ok(count @ 1..) => client.write_all(&buffer[..count]),
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
                {
                    Ok(())
                }
                _ => Err(ErrorKind::BrokenPipe.into()),
            };
            if written.is_err() {
                client.conn.send_close_notify();
                let _ = client.flush();
                let _ = client.sock.shutdown(Shutdown::Both);
                return;
            }
        }
    }
}
