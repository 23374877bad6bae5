//! Targets that are not what they should be: each connection meets the next behaviour of a list, and
//! the last one stays.

use millstream_rtmp::connection::ServerConnection;
use millstream_rtmp::message::Message;
use millstream_rtmp::server::{ServerEvent, ServerOptions};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What a target does with a connection.
#[derive(Clone, Copy, Debug)]
pub enum Behaviour {
    /// Accepts all that is asked, and keeps what is published.
    Good,
    /// The same, but reads nothing more once a publish is accepted, until it is told to.
    StopsReading,
    /// Closes at once.
    Closes,
    /// Says nothing.
    Stalls,
    /// Sends what is no RTMP.
    Garbage,
    /// Accepts, then sends what is no RTMP.
    GarbageLater,
    /// Accepts, then closes in the middle of a message.
    ClosesInside,
}

/// A listening target.
pub struct Fake {
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    media: Mutex<Vec<Message>>,
    connections: AtomicUsize,
    reads_on: AtomicBool,
}

impl Fake {
    pub fn start(behaviours: &'static [Behaviour]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        let of_thread = Arc::clone(&shared);
        // It ends with the test process; a connection ends with its peer.
        std::thread::spawn(move || {
            for socket in listener.incoming() {
                let number = of_thread.connections.fetch_add(1, Ordering::Relaxed);
                let behaviour = behaviours[number.min(behaviours.len() - 1)];
                let shared = Arc::clone(&of_thread);
                std::thread::spawn(move || {
                    // A peer that leaves is none of our failures.
                    let _ = serve(socket?, behaviour, &shared);
                    std::io::Result::Ok(())
                });
            }
        });
        Self { address, shared }
    }

    pub fn url(&self) -> String {
        format!("rtmp://{}", self.address)
    }

    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// What was published, in order.
    pub fn media(&self) -> Vec<Message> {
        self.shared.media.lock().unwrap().clone()
    }

    /// Lets one that stopped reading go on.
    pub fn read_on(&self) {
        self.shared.reads_on.store(true, Ordering::Relaxed);
    }
}

fn serve(mut socket: TcpStream, behaviour: Behaviour, shared: &Shared) -> std::io::Result<()> {
    match behaviour {
        Behaviour::Closes => return Ok(()),
        Behaviour::Garbage => return socket.write_all(&[0x55; 5000]),
        Behaviour::Stalls => {
            let mut byte = [0; 4096];
            while socket.read(&mut byte)? > 0 {}
            return Ok(());
        }
        _ => {}
    }
    let mut connection = ServerConnection::new(&ServerOptions::default(), [3; 32]);
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = socket.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        let mut accepted = false;
        let mut input = &buffer[..count];
        while let Some(event) = connection.receive(&mut input).unwrap() {
            match event {
                ServerEvent::Connect(connect) => {
                    connection.accept_connect(connect.request).unwrap()
                }
                ServerEvent::Publish(publish) => {
                    connection.accept_publish(publish.request).unwrap();
                    accepted = true;
                }
                ServerEvent::Play(play) => connection.accept_play(play.request).unwrap(),
                ServerEvent::Media(message) => shared.media.lock().unwrap().push(message),
                _ => {}
            }
        }
        socket.write_all(&connection.output().split())?;
        match behaviour {
            Behaviour::GarbageLater if accepted => return socket.write_all(&[0xff; 5000]),
            // A video message of 4,096 bytes, and ten of them.
            Behaviour::ClosesInside if accepted => {
                return socket.write_all(b"\x06\0\0\0\0\x10\0\x09\x01\0\0\0\x27\x01\0\0\0.....");
            }
            Behaviour::StopsReading if accepted => {
                while !shared.reads_on.load(Ordering::Relaxed) {
                    std::thread::sleep(Duration::from_millis(10));
                }
            }
            _ => {}
        }
    }
}
