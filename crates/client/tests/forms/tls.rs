//! `rtmps` against a rustls server with a certificate of its own: trusted, and refused.

use crate::support::*;
use millstream_client::blocking::{Settings, connect};
use millstream_client::tls::{Trust, TrustError, connect_tls};
use millstream_client::{Aim, Connection, Error, Event, Options, RtmpUrl};
use millstream_rtmp::client::PlayOptions;
use millstream_rtmp::server::ServerEvent;
use millstream_rtmp::session::PublishMode;
use rustls::pki_types::PrivatePkcs8KeyDer;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// A certificate for a name, in a file that goes away with it.
struct Certificate {
    file: PathBuf,
    config: Arc<rustls::ServerConfig>,
}

impl Certificate {
    fn new(test: &str, name: &str) -> Self {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        let file = format!("millstream-client-{}-{test}.pem", std::process::id());
        let file = std::env::temp_dir().join(file);
        std::fs::write(&file, made.cert.pem()).unwrap();
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key.into())
            .unwrap();
        Self { file, config: Arc::new(config) }
    }

    fn trust(&self) -> Trust {
        Trust { extra_roots: Some(self.file.clone()), only_extra: true }
    }

    /// Serves one connection.
    fn serve(&self) -> (u16, JoinHandle<Session>) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let config = Arc::clone(&self.config);
        let server = thread::spawn(move || {
            let (socket, _) = listener.accept().unwrap();
            let session = rustls::ServerConnection::new(config).unwrap();
            serve(rustls::StreamOwned::new(session, socket))
        });
        (port, server)
    }
}

impl Drop for Certificate {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.file);
    }
}

fn secure_url(port: u16, name: &str) -> RtmpUrl {
    RtmpUrl::parse(&format!("rtmps://127.0.0.1:{port}/live/{name}")).unwrap()
}

#[test]
fn a_trusted_server_is_published_to() {
    let certificate = Certificate::new("trusted", "127.0.0.1");
    let (port, server) = certificate.serve();
    let url = secure_url(port, "cam");
    let mut settings = Settings::new(&url);
    settings.tls = Some(certificate.trust().config().unwrap());
    let mut connection = connect(&url, settings).unwrap();
    let stream = connection.publish("cam", PublishMode::Live).unwrap();
    let big = bytes::Bytes::from(vec![0x17; 3_000_000]);
    connection.client().video(stream, 0, big.clone()).unwrap();
    for tag in film() {
        connection.client().tag(stream, tag).unwrap();
    }
    connection.end().unwrap();
    let session = server.join().unwrap();
    assert_eq!(session.tags[0].payload, big);
    assert_eq!(session.tags[1..], film());
}

#[test]
fn a_server_that_stops_reading_is_told_while_only_tls_holds_bytes() {
    let certificate = Certificate::new("stuck", "127.0.0.1");
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = secure_url(listener.local_addr().unwrap().port(), "cam");
    let config = Arc::clone(&certificate.config);
    let (leave, wait) = mpsc::channel::<()>();
    thread::spawn(move || {
        let (socket, _) = listener.accept().unwrap();
        let tls = rustls::ServerConnection::new(config).unwrap();
        let mut stream = rustls::StreamOwned::new(tls, socket);
        let mut session = Session::new();
        let mut buffer = [0; 4096];
        while !session.saw(|event| matches!(event, ServerEvent::Publish(_))) {
            let count = stream.read(&mut buffer).unwrap();
            let answer = session.feed(&buffer[..count]);
            stream.write_all(&answer).unwrap();
        }
        // Until the test is over.
        let _ = wait.recv();
    });
    let mut settings = Settings::new(&url);
    settings.tls = Some(certificate.trust().config().unwrap());
    settings.times.answer = Duration::from_millis(400);
    let (done, told) = mpsc::channel();
    // In a thread of its own, which would be stuck.
    thread::spawn(move || {
        let mut connection = connect(&url, settings).unwrap();
        let stream = connection.publish("cam", PublishMode::Live).unwrap();
        // Less than TLS takes at once, so that the client itself has nothing left to send.
        let frame = bytes::Bytes::from([&b"\x17\x01\0\0\0"[..], &[0; 40_000]].concat());
        let error = loop {
            connection.client().video(stream, 0, frame.clone()).unwrap();
            if let Err(error) = connection.flush() {
                break error;
            }
        };
        assert!(connection.client().is_drained());
        done.send(error).unwrap();
    });
    let error = told.recv_timeout(Duration::from_secs(20)).unwrap();
    assert!(matches!(error, Error::Silent { aim: Aim::Publish, .. }), "{error:?}");
    drop(leave);
}

#[test]
fn a_trusted_server_is_played_from() {
    let certificate = Certificate::new("played", "127.0.0.1");
    let (port, _server) = certificate.serve();
    let url = secure_url(port, "film");
    let mut settings = Settings::new(&url);
    settings.tls = Some(certificate.trust().config().unwrap());
    let mut connection = connect(&url, settings).unwrap();
    connection.play("film", PlayOptions::default()).unwrap();
    let mut tags = Vec::new();
    while tags.len() < 3 {
        let event = connection.next(Duration::from_secs(5)).unwrap().unwrap();
        tags.extend(event.into_tag());
    }
    assert_eq!(tags, film());
}

#[test]
fn certificates_that_are_not_trusted_are_refused() {
    let right = Certificate::new("right", "127.0.0.1");
    let other = Certificate::new("other", "127.0.0.1");
    let misnamed = Certificate::new("misnamed", "example.org");
    for (server, trust) in [(&right, other.trust()), (&misnamed, misnamed.trust())] {
        let (port, _server) = server.serve();
        let url = secure_url(port, "cam");
        let mut settings = Settings::new(&url);
        settings.tls = Some(trust.config().unwrap());
        let mut connection = connect(&url, settings).unwrap();
        let error = connection.publish("cam", PublishMode::Live).unwrap_err();
        assert!(matches!(error, Error::Tls { .. }), "{error:?}");
        assert!(error.to_string().contains("127.0.0.1") && !error.may_pass(), "{error}");
    }
}

#[test]
fn a_server_without_tls_is_told() {
    let (port, _sessions) = listen(1);
    let url = secure_url(port, "cam");
    let mut settings = Settings::new(&url);
    settings.times.answer = Duration::from_millis(500);
    let certificate = Certificate::new("plain", "127.0.0.1");
    settings.tls = Some(certificate.trust().config().unwrap());
    let mut connection = connect(&url, settings).unwrap();
    let error = connection.publish("cam", PublishMode::Live).unwrap_err();
    // An RTMP server takes the hello for a wrong version and closes, or waits for more of it.
    assert!(matches!(error, Error::Closed { .. } | Error::Silent { .. } | Error::Tls { .. }));
}

#[test]
fn files_without_certificates_are_named() {
    let file = std::env::temp_dir().join(format!("millstream-client-{}.txt", std::process::id()));
    std::fs::write(&file, "no certificate").unwrap();
    let trust = Trust { extra_roots: Some(file.clone()), only_extra: true };
    assert!(matches!(trust.config(), Err(TrustError::NoCertificate { path }) if path == file));
    std::fs::remove_file(&file).unwrap();
    assert!(matches!(trust.config(), Err(TrustError::File { path, .. }) if path == file));
    let nothing = Trust { extra_roots: None, only_extra: true };
    assert!(matches!(nothing.config(), Err(TrustError::NoRoots)));
}

#[tokio::test]
async fn the_async_form_is_encrypted_too() {
    use tokio_util::compat::TokioAsyncReadCompatExt;
    let certificate = Certificate::new("async", "127.0.0.1");
    let other = Certificate::new("async-other", "127.0.0.1");
    for (trust, trusted) in [(certificate.trust(), true), (other.trust(), false)] {
        let (port, _server) = certificate.serve();
        let url = secure_url(port, "film");
        let tcp = TcpStream::connect(("127.0.0.1", port)).unwrap();
        tcp.set_nonblocking(true).unwrap();
        let tcp = tokio::net::TcpStream::from_std(tcp).unwrap().compat();
        let encrypted = connect_tls(tcp, &url, trust.config().unwrap()).await;
        if !trusted {
            assert!(matches!(encrypted, Err(Error::Tls { .. })));
            continue;
        }
        let options = Options::new(&url);
        let mut connection = Connection::connect(encrypted.unwrap(), options).await.unwrap();
        let stream = connection.play("film", PlayOptions::default()).await.unwrap();
        let mut tags = Vec::new();
        while tags.len() < 3 {
            let event = connection.next().await.unwrap();
            assert!(event.stream() == Some(stream) || !matches!(event, Event::Media { .. }));
            tags.extend(event.into_tag());
        }
        assert_eq!(tags, film());
        connection.finish().await.unwrap();
    }
}
