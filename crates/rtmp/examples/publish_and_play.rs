//! A publisher, a server and a player in one process: three messages go all the way.

use bytes::{Bytes, BytesMut};
use millstream_rtmp::chunk::write_standalone;
use millstream_rtmp::client::{ClientEvent, ClientOptions, PlayOptions};
use millstream_rtmp::connection::{ClientConnection, ServerConnection};
use millstream_rtmp::message::MessageType;
use millstream_rtmp::server::{ServerEvent, ServerOptions};
use millstream_rtmp::session::PublishMode;
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let options = || ClientOptions::new("live", "rtmp://example.org/live");
    let mut publisher = ClientConnection::new(options(), [1; 32])?;
    let mut player = ClientConnection::new(options(), [2; 32])?;
    let mut servers =
        [[3; 32], [4; 32]].map(|entropy| ServerConnection::new(&ServerOptions::default(), entropy));
    publisher.publish("cam", PublishMode::Live)?;
    player.play("cam", PlayOptions::default())?;

    let frames = [(0, &b"sequence header"[..]), (0, b"key frame"), (40, b"frame")];
    let (mut ready, mut played) = (0, 0);
    while played < frames.len() {
        // What the server has for the player: the same bytes for every player of the stream.
        let mut relayed = BytesMut::new();
        for (client, server) in [&mut publisher, &mut player].into_iter().zip(&mut servers) {
            let up = client.output().split();
            serve(server, &up, &mut relayed)?;
        }
        servers[1].output().extend_from_slice(&relayed);
        for (client, server) in [&mut publisher, &mut player].into_iter().zip(&mut servers) {
            let down = server.output().split();
            let mut input = &down[..];
            while let Some(event) = client.receive(&mut input)? {
                match event {
                    ClientEvent::Publishing { .. } | ClientEvent::Playing { .. } => ready += 1,
                    ClientEvent::Media(message) => {
                        println!("{:>3} ms: {:?}", message.timestamp, message.payload);
                        played += 1;
                    }
                    _ => {}
                }
            }
        }
        if ready == 2 {
            for (time, frame) in frames {
                publisher.send_media(MessageType::VIDEO, time, Bytes::from_static(frame))?;
            }
            ready = 0;
        }
    }
    Ok(())
}

/// One server's turn: everything is accepted, media goes to `relayed`.
fn serve(
    server: &mut ServerConnection,
    mut input: &[u8],
    relayed: &mut BytesMut,
) -> Result<(), Box<dyn Error>> {
    while let Some(event) = server.receive(&mut input)? {
        match event {
            ServerEvent::Connect(connect) => server.accept_connect(connect.request)?,
            ServerEvent::Publish(publish) => server.accept_publish(publish.request)?,
            ServerEvent::Play(play) => server.accept_play(play.request)?,
            ServerEvent::Media(message) => {
                let size = ServerOptions::default().chunk_size;
                let (time, payload) = (message.timestamp, &message.payload);
                write_standalone(message.kind, 6, time, 1, payload, size, relayed);
            }
            _ => {}
        }
    }
    Ok(())
}
