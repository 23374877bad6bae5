//! `rtmps://`, by a door that takes TLS off in front of a server.

use crate::publish_and_play::assert_same_film;
use crate::support::*;
use rustls::pki_types::PrivatePkcs8KeyDer;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Opens a door to a port, with a certificate that is written to a file. It stands as long as the test.
fn door(to: u16, certificate: &Path) -> u16 {
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

#[test]
fn a_film_goes_and_comes_encrypted() {
    let directory = Directory::new();
    let server = Server::start(&directory, &[]);
    let (file, copy) = (directory.path("source.flv"), directory.path("copy.flv"));
    let ca = directory.path("ca.pem");
    let port = door(server.port, &ca);
    let source = film(20);
    write_flv(&file, &source);
    let (url, ca) = (format!("rtmps://127.0.0.1:{port}/live/film"), ca.to_str().unwrap());
    let player = Running::start(["play", &url, "-o", copy.to_str().unwrap(), "--ca", ca]);
    server.wait_for_plays(1);
    let published = run(["publish", file.to_str().unwrap(), &url, "--ca", ca]);
    assert_eq!(published.code, Some(0), "{}", published.said);
    let played = player.output();
    assert_eq!(played.code, Some(0), "{}", played.said);
    assert_same_film(&source, &read_flv(&std::fs::read(&copy).unwrap()).1);
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_refused() {
    let directory = Directory::new();
    let (ca, other) = (directory.path("ca.pem"), directory.path("other.pem"));
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let behind = listener.local_addr().unwrap().port();
    let port = door(behind, &ca);
    door(behind, &other);
    let url = format!("rtmps://127.0.0.1:{port}/live/film?key=correct-horse");
    for args in [vec!["play", &url], vec!["play", &url, "--ca", other.to_str().unwrap()]] {
        let ended = match args[..] {
            [a, b] => run([a, b]),
            [a, b, c, d] => run([a, b, c, d]),
            _ => unreachable!("two forms"),
        };
        assert_eq!(ended.code, Some(3), "{}", ended.said);
        assert!(ended.said.contains("no encrypted connection with 127.0.0.1"), "{}", ended.said);
        assert!(!ended.said.contains("correct-horse"));
    }
    let ended = run(["play", &url, "--ca", "/no/such.pem"]);
    assert_eq!(ended.code, Some(1), "{}", ended.said);
    assert!(ended.said.contains("/no/such.pem"), "{}", ended.said);
}

#[test]
fn an_edge_pulls_encrypted() {
    let (there, here) = (Directory::new(), Directory::new());
    let origin = Server::start(&there, &[]);
    let (ca, config, file) = (here.path("ca.pem"), here.path("edge.toml"), here.path("source.flv"));
    let port = door(origin.port, &ca);
    let rule = format!(
        "[[pull]]\nstream = \"live/*\"\norigins = \"rtmps://127.0.0.1:{port}/live\"\nca = {ca:?}\n"
    );
    std::fs::write(&config, rule).unwrap();
    let edge = Server::start(&here, &["--config", config.to_str().unwrap()]);
    let source = film(20);
    write_flv(&file, &source);
    let copy = here.path("copy.flv");
    let player = Running::start(["play", &edge.url("film"), "-o", copy.to_str().unwrap()]);
    origin.wait_for_plays(1);
    let published = run(["publish", file.to_str().unwrap(), &origin.url("film")]);
    assert_eq!(published.code, Some(0), "{}", published.said);
    let played = player.output();
    assert_eq!(played.code, Some(0), "{}", played.said);
    assert_same_film(&source, &read_flv(&std::fs::read(&copy).unwrap()).1);
}
