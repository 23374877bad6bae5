//! A small server that does everything right: each stream goes to all who play it, unchanged.
//!
//! Two threads a connection, and no limit on what a slow player is owed: enough for a test. It runs
//! until the test program ends.

use super::dialogue::Dialogue;
use bytes::{Bytes, BytesMut};
use millstream_rtmp::chunk::write_standalone;
use millstream_rtmp::message::{Message, MessageType};
use millstream_rtmp::server::{ServerEvent, ServerOptions};
use std::collections::HashMap;
use std::io::{self, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};

/// All streams.
#[derive(Default)]
struct Hub(Mutex<HashMap<String, Stream>>);

#[derive(Default)]
struct Stream {
    /// What decoders have to be told first.
    configurations: Vec<Message>,
    players: Vec<Player>,
}

struct Player {
    stream_id: u32,
    queue: Queue,
}

/// What is to be written to a connection, in order.
#[derive(Clone)]
struct Queue(Sender<Bytes>);

impl Write for Queue {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let gone = |_| io::Error::from(io::ErrorKind::BrokenPipe);
        self.0.send(Bytes::copy_from_slice(bytes)).map_err(gone)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Starts one that announces chunks of this size. Returns where it listens.
pub fn good_server(chunk_size: u32) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let hub = Arc::<Hub>::default();
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let (socket, hub) = (socket.unwrap(), Arc::clone(&hub));
            std::thread::spawn(move || serve(socket, &hub, chunk_size));
        }
    });
    address
}

fn serve(socket: TcpStream, hub: &Hub, chunk_size: u32) {
    let (sender, receiver) = mpsc::channel();
    let (queue, writing) = (Queue(sender), socket.try_clone().unwrap());
    writing.set_nodelay(true).unwrap();
    std::thread::spawn(move || write(writing, &receiver));

    let options = ServerOptions { chunk_size, ..ServerOptions::default() };
    let mut dialogue = Dialogue::new(socket, queue.clone(), &options);
    let mut publishes = None;
    while let Some(event) = dialogue.next() {
        match event {
            ServerEvent::Connect(connect) => dialogue.rtmp.accept_connect(connect.request).unwrap(),
            ServerEvent::Publish(publish) => {
                dialogue.rtmp.accept_publish(publish.request).unwrap();
                publishes = Some(publish.name);
            }
            ServerEvent::Play(play) => {
                dialogue.rtmp.accept_play(play.request).unwrap();
                // The answer goes first.
                dialogue.flush();
                let player = Player { stream_id: play.stream_id, queue: queue.clone() };
                hub.join(play.name, player, chunk_size);
            }
            ServerEvent::Media(message) => {
                let name = publishes.as_ref().expect("only publishers send media");
                hub.relay(name, message, chunk_size);
            }
            _ => {}
        }
    }
}

fn write(mut socket: TcpStream, queue: &Receiver<Bytes>) {
    for bytes in queue {
        if socket.write_all(&bytes).is_err() {
            break;
        }
    }
    // Its reader learns of it too.
    let _ = socket.shutdown(Shutdown::Both);
}

impl Hub {
    fn join(&self, name: String, mut player: Player, chunk_size: u32) {
        let mut streams = self.0.lock().unwrap();
        let stream = streams.entry(name).or_default();
        if stream.configurations.iter().all(|message| player.send(message, chunk_size)) {
            stream.players.push(player);
        }
    }

    fn relay(&self, name: &str, message: Message, chunk_size: u32) {
        let mut streams = self.0.lock().unwrap();
        let stream = streams.entry(name.to_owned()).or_default();
        stream.players.retain_mut(|player| player.send(&message, chunk_size));
        // The second byte of H.264 and AAC messages: a configuration, not a frame.
        if message.payload.get(1) == Some(&0) {
            stream.configurations.push(message);
        }
    }
}

impl Player {
    /// Whether it is still there.
    fn send(&mut self, message: &Message, chunk_size: u32) -> bool {
        let mut bytes = BytesMut::new();
        let Message { kind, timestamp, payload, .. } = message;
        let chunk_stream = if *kind == MessageType::VIDEO { 6 } else { 4 };
        let stream_id = self.stream_id;
        write_standalone(
            *kind,
            chunk_stream,
            *timestamp,
            stream_id,
            payload,
            chunk_size,
            &mut bytes,
        );
        self.queue.write_all(&bytes).is_ok()
    }
}
