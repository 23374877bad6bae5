//! Connections from within the process: a publisher and a player without a network.

use crate::client::{Client, playing, publishing, start};
use crate::listener::Listener;
use bytes::Bytes;
use millstream::server::Server;
use millstream_rtmp::client::{ClientEvent, PlayOptions};
use millstream_rtmp::message::MessageType;
use std::os::unix::net::UnixStream;
use std::time::Duration;

fn connect(server: &Server) -> Client<UnixStream> {
    let socket = server.connect().expect("the server runs");
    socket.set_read_timeout(Some(Duration::from_millis(50))).expect("a time-out can be set");
    Client::over(socket, "rtmp://localhost", "live")
}

#[test]
fn a_stream_from_within_reaches_players_within_and_outside() {
    let (server, address) = start(Listener::default());
    let mut publisher = connect(&server);
    publisher.publish("cam");
    publisher.until("the publish", publishing);
    let mut inside = connect(&server);
    inside.connection.play("cam", PlayOptions::default()).expect("it can be asked");
    inside.until("the play", playing);
    let mut outside = Client::connect(address, "live");
    outside.connection.play("cam", PlayOptions::default()).expect("it can be asked");
    outside.until("the play", playing);
    for at in 0..100_u32 {
        // As large as key frames are: more than the pair of sockets holds.
        let mut picture = vec![0; 300_000 + at as usize];
        picture[..2].copy_from_slice(&[0x17, 1]);
        let picture = Bytes::from(picture);
        publisher.connection.send_media(MessageType::VIDEO, at, picture).expect("it publishes");
        publisher.flush();
        let media = |event: &ClientEvent| {
            matches!(event, ClientEvent::Media(message)
                if message.timestamp == at && message.payload.len() == 300_000 + at as usize)
        };
        inside.until("a picture", media);
        outside.until("a picture", media);
    }
}

#[test]
fn an_ended_server_takes_nobody_in() {
    let (server, _) = start(Listener::default());
    let mut client = connect(&server);
    client.publish("cam");
    client.until("the publish", publishing);
    server.drain();
    client.until_hung_up();
    for _ in 0..200 {
        if server.connect().is_err() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("it still takes connections");
}
