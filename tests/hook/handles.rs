//! What reaches a peer through the handle of its session, from another thread.

use crate::client::{Client, playing, publishing, start};
use crate::listener::Listener;
use bytes::Bytes;
use millstream::hook::{Admission, Answer, Application, Defer, Peer, SendError, SessionHandle};
use millstream::limits::SESSION_MESSAGE_MAX;
use millstream_amf0::{Object, Value};
use millstream_rtmp::client::{ClientEvent, PlayOptions};
use millstream_rtmp::message::{Message, MessageType};
use std::sync::Arc;
use std::time::Duration;

fn media(event: &ClientEvent) -> bool {
    matches!(event, ClientEvent::Media(_))
}

fn message(event: ClientEvent) -> Message {
    let ClientEvent::Media(message) = event else { panic!("{event:?}") };
    message
}

#[test]
fn what_a_handle_sends_stands_between_what_is_played() {
    let listener = Listener::default();
    let (_server, address) = start(listener.clone());
    let mut publisher = Client::connect(address, "live");
    publisher.publish("cam");
    publisher.until("the publish", publishing);
    let mut player = Client::connect(address, "live");
    player.connection.play("cam", PlayOptions::default()).expect("it can be asked");
    player.until("the play", playing);
    let handle = listener.handle(1);
    for at in 0..50_u32 {
        let picture = Bytes::from(vec![0x17, 1, 0, 0, 0, at as u8]);
        publisher
            .connection
            .send_media(MessageType::VIDEO, at * 40, picture)
            .expect("it publishes");
        publisher.flush();
        let event = player.until("a picture of the stream", media);
        let picture = message(event);
        assert_eq!((picture.timestamp, picture.payload[5]), (at * 40, at as u8));
        let thread = {
            let handle = handle.clone();
            std::thread::spawn(move || {
                handle.send_audio(at * 40 + 1, Bytes::from(vec![0xaf, 1, at as u8]))
            })
        };
        thread.join().expect("it does not panic").expect("the shard has time");
        let sound = message(player.until("the sound of the handle", media));
        assert_eq!(sound.kind, MessageType::AUDIO);
        assert_eq!((sound.timestamp, sound.payload[2]), (at * 40 + 1, at as u8));
    }
    handle.send_metadata(Object::new().with("title", "now")).expect("the shard has time");
    let event = player.until("metadata", |event| matches!(event, ClientEvent::Data(_)));
    let ClientEvent::Data(data) = event else { unreachable!("it was matched") };
    assert_eq!((data.name.as_str(), data.stream_id), ("onMetaData", 1));
    handle.send_data(&["onTextData".into(), Value::Null]).expect("the shard has time");
    player.until(
        "a text",
        |event| matches!(event, ClientEvent::Data(data) if data.name == "onTextData"),
    );
}

#[test]
fn pings_messages_and_ends() {
    let listener = Listener::default();
    let (server, address) = start(listener.clone());
    let mut client = Client::connect(address, "live");
    client.publish("cam");
    client.until("the publish", publishing);
    let handle = listener.handle(0);
    handle.ping().expect("the shard has time");
    client.read_for_a_while();
    listener.until("pinged");
    listener.until("answered true");
    handle.message("hello".to_owned()).expect("the shard has time");
    listener.until("message hello");
    handle.close("asked-to").expect("the shard has time");
    listener.until("disconnected asked-to");
    // Nobody is there any more, which no handle knows.
    handle.ping().expect("the shard has time");
    server.drain();
    server.join();
    assert_eq!(handle.ping(), Err(SendError::Ended));
}

/// Speaks to its peer before it has let him in.
struct Hasty;

impl Application for Hasty {
    fn connect(
        &self,
        _: &Arc<Peer>,
        session: &SessionHandle,
        defer: Defer<'_, Admission>,
    ) -> Answer<Admission> {
        let (session, reply) = (session.clone(), defer());
        std::thread::spawn(move || {
            // Longer than the chunks are before the answer says how long they will be.
            session.send_video(1, Bytes::from(vec![1; 3000])).expect("the shard has time");
            std::thread::sleep(Duration::from_millis(100));
            reply.send(Ok(Admission::default()));
            session.send_video(2, Bytes::from(vec![2; 3000])).expect("the shard has time");
        });
        Answer::Later
    }
}

#[test]
fn what_is_sent_too_early_is_dropped_and_does_no_harm() {
    let (_server, address) = start(Hasty);
    let mut client = Client::connect(address, "live");
    client.until("the connection", |event| matches!(event, ClientEvent::Connected(_)));
    let picture = message(client.until("the second message", media));
    assert_eq!((picture.timestamp, &picture.payload[..]), (2, &[2; 3000][..]));
    client.publish("cam");
    client.until("the publish", publishing);
}

#[test]
fn what_cannot_be_sent_is_said_at_once() {
    let listener = Listener::default();
    let (_server, address) = start(listener.clone());
    let mut client = Client::connect(address, "live");
    client.until("the connection", |event| matches!(event, ClientEvent::Connected(_)));
    let handle = listener.handle(0);
    let longest = Bytes::from(vec![0; SESSION_MESSAGE_MAX]);
    assert_eq!(handle.send_video(0, longest.clone()), Ok(()));
    client.until(
        "the longest message",
        |event| matches!(event, ClientEvent::Media(message) if message.payload == longest),
    );
    let long = Bytes::from(vec![0; SESSION_MESSAGE_MAX + 1]);
    assert_eq!(handle.send_video(0, long), Err(SendError::TooLong));
    let long = Object::new().with("x".repeat(70_000).as_str(), 1.0);
    assert_eq!(handle.send_metadata(long), Err(SendError::NotEncodable));
}
