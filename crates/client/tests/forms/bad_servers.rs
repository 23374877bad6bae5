//! Servers that refuse, close, say nothing, say nonsense or stop reading: a clear error in bounded time,
//! in the blocking form and in the async one.

use crate::support::*;
use bytes::Bytes;
use millstream_client::blocking::{Connection, Settings, connect};
use millstream_client::{Aim, Error, RtmpUrl};
use millstream_rtmp::client::PlayOptions;
use millstream_rtmp::session::PublishMode;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

const ANSWER: Duration = Duration::from_millis(400);

/// Connects to a server that does one thing with its socket.
fn against(serve: impl FnOnce(TcpStream) + Send + 'static) -> Connection {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || serve(listener.accept().unwrap().0));
    to_port(port).unwrap()
}

fn to_port(port: u16) -> Result<Connection, Error> {
    let url = RtmpUrl::parse(&format!("rtmp://127.0.0.1:{port}/live/cam")).unwrap();
    let mut settings = Settings::new(&url);
    settings.times.answer = ANSWER;
    connect(&url, settings)
}

fn publish(mut connection: Connection) -> Error {
    let since = Instant::now();
    let error = connection.publish("cam", PublishMode::Live).unwrap_err();
    assert!(since.elapsed() < Duration::from_secs(5), "{error}");
    error
}

#[test]
fn nobody_listens() {
    let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let error = to_port(port).unwrap_err();
    assert!(error.to_string().contains(&format!("nobody listens at 127.0.0.1:{port}")), "{error}");
    assert!(error.may_pass());
}

#[test]
fn a_host_without_an_address() {
    let url = RtmpUrl::parse("rtmp://no-such-host.invalid/live/cam?key=s3cret").unwrap();
    let error = connect(&url, Settings::new(&url)).unwrap_err();
    assert!(matches!(&error, Error::Resolve { host, .. } if host == "no-such-host.invalid"));
}

#[test]
fn a_server_that_closes_at_once() {
    let error = publish(against(drop));
    assert!(matches!(error, Error::Closed { aim: Aim::Publish }), "{error:?}");
}

#[test]
fn a_server_that_closes_in_the_middle_of_a_message() {
    let error = publish(against(|mut socket| {
        let mut session = Session::new();
        let mut buffer = [0; 4096];
        let count = socket.read(&mut buffer).unwrap();
        let answer = session.feed(&buffer[..count]);
        socket.write_all(&answer).unwrap();
        let count = socket.read(&mut buffer).unwrap();
        let answer = session.feed(&buffer[..count]);
        socket.write_all(&answer[..answer.len().saturating_sub(3)]).unwrap();
    }));
    assert!(matches!(error, Error::Closed { aim: Aim::Publish }), "{error:?}");
}

#[test]
fn a_server_that_says_nothing() {
    let error = publish(against(|mut socket| {
        // Reads and never answers.
        let _ = std::io::copy(&mut socket, &mut std::io::sink());
    }));
    assert!(matches!(error, Error::Silent { aim: Aim::Publish, waited: ANSWER }), "{error:?}");
}

#[test]
fn a_server_that_is_none() {
    let error = publish(against(|mut socket| {
        socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
        let _ = std::io::copy(&mut socket, &mut std::io::sink());
    }));
    assert!(error.to_string().contains("does not speak RTMP"), "{error:?}");
}

#[test]
fn refusals_give_the_reason() {
    let (port, _sessions) = listen(2);
    let mut connection = to_port(port).unwrap();
    let error = connection.publish("no-cam?key=s3cret", PublishMode::Live).unwrap_err();
    let words = "the server refused to publish: the key *** is wrong (NetStream.Publish.Denied)";
    assert_eq!(error.to_string(), words);
    // The connection stands: something else may be asked.
    connection.publish("cam", PublishMode::Live).unwrap();
    let error = connection.play("no-film", PlayOptions::default()).unwrap_err();
    assert!(error.to_string().contains("refused to play: nothing here"), "{error}");
    drop(connection);

    let url = RtmpUrl::parse(&format!("rtmp://127.0.0.1:{port}/no-app/cam")).unwrap();
    let mut connection = connect(&url, Settings::new(&url)).unwrap();
    let error = connection.publish("cam", PublishMode::Live).unwrap_err();
    assert!(error.to_string().starts_with("the server refused to connect"), "{error}");
}

#[test]
fn a_server_that_sends_and_never_answers() {
    use millstream_rtmp::chunk::write_standalone;
    use millstream_rtmp::message::MessageType;
    use millstream_rtmp::server::{ServerEvent, ServerOptions};
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut session = Session::new();
        let mut buffer = [0; 4096];
        while !session.saw(|event| matches!(event, ServerEvent::Connect(_))) {
            let count = socket.read(&mut buffer).unwrap();
            let answer = session.feed(&buffer[..count]);
            socket.write_all(&answer).unwrap();
        }
        let (mut message, size) = (Vec::new(), ServerOptions::default().chunk_size);
        write_standalone(MessageType::VIDEO, 6, 0, 1, &[0x27; 100_000], size, &mut message);
        while socket.write_all(&message).is_ok() {}
    });
    let url = RtmpUrl::parse(&format!("rtmp://127.0.0.1:{port}/live/cam")).unwrap();
    let error = publish(connect(&url, Settings::new(&url)).unwrap());
    assert!(matches!(error, Error::Flooded { aim: Aim::Publish }), "{error:?}");
}

#[test]
fn a_server_that_stops_reading_is_told_from_one_that_is_slow() {
    let connection = against(|mut socket| {
        let mut session = Session::new();
        let mut buffer = [0; 4096];
        loop {
            let count = socket.read(&mut buffer).unwrap();
            let answer = session.feed(&buffer[..count]);
            socket.write_all(&answer).unwrap();
            if session
                .saw(|event| matches!(event, millstream_rtmp::server::ServerEvent::Publish(_)))
            {
                break;
            }
        }
        thread::sleep(Duration::from_secs(8));
    });
    let mut connection = connection;
    let stream = connection.publish("cam", PublishMode::Live).unwrap();
    let since = Instant::now();
    let frame = Bytes::from([&b"\x17\x01\0\0\0"[..], &[0; 500_000]].concat());
    let mut time = 0;
    let error = loop {
        connection.client().video(stream, time, frame.clone()).unwrap();
        time += 40;
        match connection.next(Duration::from_millis(5)) {
            Ok(_) => assert!(since.elapsed() < Duration::from_secs(6)),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, Error::Silent { aim: Aim::Publish, .. }), "{error:?}");
    assert!(connection.client().uplink(stream).unwrap().skipped_video > 0);
}

#[tokio::test]
async fn the_async_form_tells_the_same() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio_util::compat::TokioAsyncReadCompatExt;
    for (answer, words) in [(&b""[..], "closed the connection"), (b"HTTP/1.1 ", "speak RTMP")] {
        let (ours, mut theirs) = tokio::io::duplex(64 * 1024);
        theirs.write_all(answer).await.unwrap();
        theirs.shutdown().await.unwrap();
        let options = millstream_client::Options::new(&url("cam"));
        let mut connection = millstream_client::Connection::new(ours.compat(), options).unwrap();
        let error = connection.publish("cam", PublishMode::Live).await.unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
        drop(connection);
        let mut said = Vec::new();
        theirs.read_to_end(&mut said).await.unwrap();
        assert_eq!(said[0], 3, "the handshake was sent");
    }
}
