//! What sessions hear of their peers.

use crate::client::{Client, playing, publishing, start_with};
use crate::listener::Listener;
use bytes::Bytes;
use millstream::config::Config;
use millstream_amf0::{Object, Value};
use millstream_rtmp::client::PlayOptions;
use millstream_rtmp::message::MessageType;

const SOUND: &[u8] = &[0xaf, 1, 7];
const KEY: &[u8] = &[0x17, 1, 0, 0, 0, 9];

fn publish_something(client: &mut Client) {
    client.publish("cam");
    client.until("the publish", publishing);
    let connection = &mut client.connection;
    connection.send_metadata(0, Object::new().with("width", 64.0).into()).expect("it publishes");
    let mut text = bytes::BytesMut::new();
    millstream_amf0::encode_all(&["onTextData".into(), Value::Null], &mut text)
        .expect("short texts");
    for (kind, timestamp, payload) in [
        (MessageType::DATA_AMF0, 5, text.freeze()),
        (MessageType::AUDIO, 10, Bytes::from_static(SOUND)),
        (MessageType::VIDEO, 20, Bytes::from_static(KEY)),
    ] {
        connection.send_media(kind, timestamp, payload).expect("it publishes");
    }
    connection.send_command(0, "whoAreYou", vec![]).expect("a short name");
    client.flush();
}

#[test]
fn a_session_hears_everything_of_its_publisher() {
    let listener = Listener::default();
    let (_server, address) = start_with(listener.clone(), Config::default());
    let mut client = Client::connect(address, "heard");
    publish_something(&mut client);
    listener.until("command whoAreYou");
    let heard: Vec<String> = listener.heard();
    let media: Vec<&str> =
        heard.iter().map(String::as_str).filter(|what| !what.starts_with("totals")).collect();
    assert_eq!(
        media,
        [
            "publish started heard/cam",
            "metadata heard/cam onMetaData",
            "data heard/cam onTextData",
            "audio heard/cam 10 [175, 1, 7]",
            "video heard/cam 20 [23, 1, 0, 0, 0, 9]",
            "command whoAreYou",
        ]
    );
    listener.until("totals true");
    drop(client);
    listener.until("disconnected peer-closed");
    listener.until("publish finished heard/cam");
}

#[test]
fn media_that_nobody_asked_to_hear_is_not_handed_out() {
    let listener = Listener::default();
    let (_server, address) = start_with(listener.clone(), Config::default());
    let mut client = Client::connect(address, "live");
    publish_something(&mut client);
    listener.until("command whoAreYou");
    let heard = listener.heard();
    let media = ["metadata", "data", "audio", "video"];
    assert!(!heard.iter().any(|what| media.iter().any(|kind| what.starts_with(kind))), "{heard:?}");
}

#[test]
fn ends_are_heard_once_each() {
    let listener = Listener::default();
    let (_server, address) = start_with(listener.clone(), Config::default());
    let mut publisher = Client::connect(address, "live");
    publisher.publish("cam");
    publisher.until("the publish", publishing);
    let mut player = Client::connect(address, "live");
    let request = player.connection.play("cam", PlayOptions::default()).expect("it can be asked");
    player.until("the play", playing);
    player.connection.close(request).expect("it plays");
    player.flush();
    listener.until("play finished live/cam");
    drop(player);
    listener.until("disconnected");
    // Another publisher takes the stream over: from the same address it may.
    let mut second = Client::connect(address, "live");
    second.publish("cam");
    second.until("the publish", publishing);
    listener.until("publish finished live/cam");
    listener.until("disconnected taken-over");
    drop(second);
    let count = |begins: &str| {
        let heard = listener.heard();
        heard.iter().filter(|what| what.starts_with(begins)).count()
    };
    listener.until_so(|_| count("disconnected") == 3);
    assert_eq!((count("play started"), count("play finished")), (1, 1));
    assert_eq!((count("publish started"), count("publish finished")), (2, 2));
}

#[test]
fn acknowledgements_are_heard_in_the_window_that_was_set() {
    let listener = Listener::default();
    let config = Config { ack_window: 10_000, ..Config::default() };
    let (_server, address) = start_with(listener.clone(), config);
    let mut player = Client::connect(address, "live");
    player.connection.play("cam", PlayOptions::default()).expect("it can be asked");
    player.until("the play", playing);
    let handle = listener.handle(0);
    for at in 0..20_u8 {
        handle.send_video(at.into(), Bytes::from(vec![at; 1000])).expect("the shard has time");
    }
    player.until_media(20);
    player.flush();
    listener.until("acknowledged");
}
