//! A door that takes TLS off in front of a server, with a certificate of its own, as a reverse proxy does.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::error::{Error, Result};

/// How long a side that has nothing holds up the other.
const GLANCE: Duration = Duration::from_millis(2);

/// Opens a door to a server and returns its port. Its certificate, which nobody has signed and which names
/// 127.0.0.1, is written to a file. It stands as long as the process.
pub fn open(to: impl Into<SocketAddr>, certificate: &Path) -> Result<u16> {
    let to = to.into();
    let failed = |what: &'static str| move |source: io::Error| Error::io(what)(source);
    let made = rcgen::generate_simple_self_signed([Ipv4Addr::LOCALHOST.to_string()])
        .map_err(io::Error::other)
        .map_err(failed("make a certificate"))?;
    std::fs::write(certificate, made.cert.pem()).map_err(failed("write a certificate"))?;
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map(|builder| builder.with_no_client_auth())
        .and_then(|builder| builder.with_single_cert(vec![made.cert.der().clone()], key.into()))
        .map_err(io::Error::other)
        .map_err(failed("configure TLS"))?;
    let config = Arc::new(config);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed("open a door"))?;
    let port = listener.local_addr().map_err(failed("open a door"))?.port();
    std::thread::spawn(move || {
        while let Ok((socket, _)) = listener.accept() {
            let (Ok(session), Ok(server)) =
                (ServerConnection::new(Arc::clone(&config)), TcpStream::connect(to))
            else {
                continue;
            };
            std::thread::spawn(move || carry(StreamOwned::new(session, socket), server));
        }
    });
    Ok(port)
}

/// Carries bytes both ways until either end closes.
fn carry(mut client: StreamOwned<ServerConnection, TcpStream>, mut server: TcpStream) {
    // A socket that takes no limit is one that is carried more slowly.
    let _ = client.sock.set_read_timeout(Some(GLANCE));
    let _ = server.set_read_timeout(Some(GLANCE));
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
