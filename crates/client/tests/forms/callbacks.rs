//! The callback form, blocking and async: one handler publishes, another one plays.

use crate::support::*;
use bytes::Bytes;
use millstream_client::blocking::{Settings, connect};
use millstream_client::{Aim, Client, Connection, Error, Handler, Options, Refusal, RtmpUrl, Stop};
use millstream_flv::{Tag, TagKind};
use millstream_rtmp::client::{Connected, PlayOptions};
use millstream_rtmp::server::ServerEvent;
use millstream_rtmp::session::{Data, PublishMode, RequestId};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

/// Sends the film whenever there is room, three times.
#[derive(Default)]
struct Source {
    stream: Option<RequestId>,
    rounds: u32,
    ticks: u32,
}

impl Handler for Source {
    fn connected(&mut self, client: &mut Client, _: &Connected) {
        client.publish("cam", PublishMode::Live).unwrap();
    }

    fn publishing(&mut self, _: &mut Client, stream: RequestId) {
        self.stream = Some(stream);
    }

    fn writable(&mut self, client: &mut Client) {
        let Some(stream) = self.stream else { return };
        self.rounds += 1;
        if self.rounds > 3 {
            return client.finish();
        }
        for tag in film() {
            client.tag(stream, tag).unwrap();
        }
    }

    fn tick(&mut self, _: &mut Client) {
        self.ticks += 1;
    }
}

#[derive(Default)]
struct Sink {
    tags: Vec<Tag>,
    refused: Option<Refusal>,
    stops: Vec<Stop>,
}

impl Handler for Sink {
    fn connected(&mut self, client: &mut Client, _: &Connected) {
        client.play("no-film", PlayOptions::default()).unwrap();
    }

    fn refused(&mut self, client: &mut Client, refusal: &Refusal) {
        self.refused = Some(refusal.clone());
        client.play("film", PlayOptions::default()).unwrap();
    }

    fn audio(&mut self, _: &mut Client, _: RequestId, timestamp: u32, payload: Bytes) {
        self.tags.push(Tag { kind: TagKind::Audio, timestamp, payload });
    }

    fn video(&mut self, _: &mut Client, _: RequestId, timestamp: u32, payload: Bytes) {
        self.tags.push(Tag { kind: TagKind::Video, timestamp, payload });
    }

    fn stopped(&mut self, client: &mut Client, _: RequestId, why: Stop) {
        self.stops.push(why);
        if why == Stop::Eof {
            client.finish();
        }
    }
}

impl Sink {
    fn check(&self) {
        assert_eq!(self.tags, film());
        assert_eq!(self.refused.as_ref().unwrap().description, "nothing here");
        assert_eq!(self.stops, [Stop::Unpublished, Stop::Eof]);
    }
}

#[test]
fn blocking() {
    let (port, sessions) = listen(2);
    let url = RtmpUrl::parse(&format!("rtmp://127.0.0.1:{port}/live/cam")).unwrap();
    let mut source = Source::default();
    let connection = connect(&url, Settings::new(&url)).unwrap();
    connection.run(&mut source, Duration::from_millis(1)).unwrap();
    assert_eq!(sessions.recv().unwrap().tags.len(), 9);

    let mut sink = Sink::default();
    let connection = connect(&url, Settings::new(&url)).unwrap();
    connection.run(&mut sink, Duration::from_secs(1)).unwrap();
    sink.check();
}

#[tokio::test]
async fn asynchronous() {
    use tokio_util::compat::TokioAsyncReadCompatExt;
    let (mut source, mut sink) = (Source::default(), Sink::default());
    let (ours, theirs) = tokio::io::duplex(300);
    let connection = Connection::new(ours.compat(), Options::new(&url("cam"))).unwrap();
    let (result, session) = tokio::join!(connection.run(&mut source), serve_async(theirs));
    result.unwrap();
    assert_eq!((session.tags.len(), source.ticks), (9, 0));

    let (ours, theirs) = tokio::io::duplex(300);
    let connection = Connection::new(ours.compat(), Options::new(&url("film"))).unwrap();
    let (result, _) = tokio::join!(connection.run(&mut sink), serve_async(theirs));
    result.unwrap();
    sink.check();
}

/// Plays, and writes down what it is told, in order.
#[derive(Default)]
struct Diary {
    stream: Option<RequestId>,
    told: Vec<String>,
}

impl Diary {
    fn note(&mut self, stream: RequestId, what: impl Into<String>) {
        assert_eq!(Some(stream), self.stream, "it is of the one stream that was asked for");
        self.told.push(what.into());
    }

    fn check(&self) {
        let expected =
            ["reset", "playing", "data onMetaData 7 320", "video 0", "audio 10", "video 40"];
        assert_eq!(self.told, expected);
    }
}

impl Handler for Diary {
    fn connected(&mut self, client: &mut Client, _: &Connected) {
        let options = PlayOptions::default();
        self.stream = Some(client.play("film-with-metadata", options).unwrap());
    }

    fn reset(&mut self, _: &mut Client, stream: RequestId) {
        self.note(stream, "reset");
    }

    fn playing(&mut self, _: &mut Client, stream: RequestId) {
        self.note(stream, "playing");
    }

    fn data(&mut self, _: &mut Client, stream: RequestId, data: Data) {
        let values = millstream_amf0::decode_all(&data.payload).unwrap();
        let width = values[1].as_object().unwrap().get_number("width").unwrap();
        self.note(stream, format!("data {} {} {width}", data.name, data.timestamp));
    }

    fn audio(&mut self, _: &mut Client, stream: RequestId, timestamp: u32, _: Bytes) {
        self.note(stream, format!("audio {timestamp}"));
    }

    fn video(&mut self, _: &mut Client, stream: RequestId, timestamp: u32, _: Bytes) {
        self.note(stream, format!("video {timestamp}"));
    }

    fn stopped(&mut self, client: &mut Client, _: RequestId, why: Stop) {
        if why == Stop::Eof {
            client.finish();
        }
    }
}

#[test]
fn a_play_is_told_in_its_order_blocking() {
    let (port, _sessions) = listen(1);
    let url = RtmpUrl::parse(&format!("rtmp://127.0.0.1:{port}/live/cam")).unwrap();
    let mut diary = Diary::default();
    let connection = connect(&url, Settings::new(&url)).unwrap();
    connection.run(&mut diary, Duration::from_secs(1)).unwrap();
    diary.check();
}

#[tokio::test]
async fn a_play_is_told_in_its_order_asynchronous() {
    use tokio_util::compat::TokioAsyncReadCompatExt;
    let (ours, theirs) = tokio::io::duplex(300);
    let connection = Connection::new(ours.compat(), Options::new(&url("film"))).unwrap();
    let mut diary = Diary::default();
    let (result, _) = tokio::join!(connection.run(&mut diary), serve_async(theirs));
    result.unwrap();
    diary.check();
}

/// Publishes, or does nothing at all, until the server says `close`.
struct Sent {
    publishes: bool,
    closed: bool,
}

impl Handler for Sent {
    fn connected(&mut self, client: &mut Client, _: &Connected) {
        if self.publishes {
            client.publish("cam", PublishMode::Live).unwrap();
        }
    }

    fn closed(&mut self, _: &mut Client) {
        self.closed = true;
    }
}

fn is_time(publishes: bool) -> impl Fn(&ServerEvent) -> bool {
    move |event| match event {
        ServerEvent::Publish(_) => publishes,
        ServerEvent::Connect(_) => !publishes,
        _ => false,
    }
}

/// With nothing published, the server's `close` is a good end; in the middle of a publish it is none.
fn check_end(publishes: bool, handler: &Sent, end: Result<(), Error>) {
    assert!(handler.closed);
    match (publishes, end) {
        (false, Ok(())) | (true, Err(Error::Closed { aim: Aim::Publish })) => {}
        (_, end) => panic!("publishes: {publishes}, {end:?}"),
    }
}

#[test]
fn blocking_with_a_server_that_says_close() {
    for (publishes, leaves) in [(false, true), (false, false), (true, true), (true, false)] {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            let (mut socket, _) = listener.accept().unwrap();
            let mut session = Session::new();
            let mut buffer = [0; 4096];
            while !session.saw(is_time(publishes)) {
                let count = socket.read(&mut buffer).unwrap();
                let answer = session.feed(&buffer[..count]);
                socket.write_all(&answer).unwrap();
            }
            socket.write_all(&session.close()).unwrap();
            if !leaves {
                // Until the client goes.
                while matches!(socket.read(&mut buffer), Ok(1..)) {}
            }
        });
        let url = RtmpUrl::parse(&format!("rtmp://127.0.0.1:{port}/live/cam")).unwrap();
        let connection = connect(&url, Settings::new(&url)).unwrap();
        let mut handler = Sent { publishes, closed: false };
        let end = connection.run(&mut handler, Duration::from_secs(1));
        check_end(publishes, &handler, end);
    }
}

#[tokio::test]
async fn asynchronous_with_a_server_that_says_close() {
    use tokio_util::compat::TokioAsyncReadCompatExt;
    for (publishes, leaves) in [(false, true), (false, false), (true, true), (true, false)] {
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        let connection = Connection::new(ours.compat(), Options::new(&url("cam"))).unwrap();
        let mut handler = Sent { publishes, closed: false };
        let server = async {
            let theirs = serve_until(theirs, is_time(publishes)).await;
            (!leaves).then_some(theirs)
        };
        let both = async { tokio::join!(connection.run(&mut handler), server) };
        let both = tokio::time::timeout(Duration::from_secs(5), both).await;
        let (end, _open) = both.expect("the run ends behind `close`");
        check_end(publishes, &handler, end);
    }
}
