//! The bytes that a session is told of are those that went over the wire, and its end is told once.

use crate::client::{Client, publishing, start};
use bytes::Bytes;
use millstream::hook::{
    Admission, Answer, Application, Defer, Ended, Peer, Session, SessionHandle, Totals,
};
use millstream_rtmp::message::MessageType;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// What a session was told.
#[derive(Clone, Default)]
struct Told {
    so_far: Arc<Mutex<Vec<Totals>>>,
    ends: Arc<Mutex<Vec<Totals>>>,
}

impl Application for Told {
    fn connect(
        &self,
        _: &Arc<Peer>,
        _: &SessionHandle,
        _: Defer<'_, Admission>,
    ) -> Answer<Admission> {
        Answer::accept(Admission::new(self.clone()))
    }
}

impl Session for Told {
    fn totals(&mut self, totals: Totals) {
        self.so_far.lock().expect("nobody panics with it").push(totals);
    }

    fn disconnected(&mut self, ended: &Ended<'_>) {
        self.ends.lock().expect("nobody panics with it").push(ended.totals);
    }
}

/// A socket that counts.
struct Counting {
    socket: TcpStream,
    counted: Arc<Mutex<Totals>>,
}

impl Read for Counting {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.socket.read(buffer)?;
        // What we read, the server sent.
        self.counted.lock().expect("nobody panics with it").sent += count as u64;
        Ok(count)
    }
}

impl Write for Counting {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.socket.write(bytes)?;
        self.counted.lock().expect("nobody panics with it").received += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }
}

#[test]
fn every_byte_is_told_and_the_end_once() {
    let told = Told::default();
    let (_server, address) = start(told.clone());
    let socket = TcpStream::connect(address).expect("the server accepts");
    socket.set_read_timeout(Some(Duration::from_millis(50))).expect("it is a socket");
    let counted = Arc::new(Mutex::new(Totals::default()));
    let socket = Counting { socket, counted: Arc::clone(&counted) };
    let mut client = Client::over(socket, &format!("rtmp://{address}"), "live");
    client.publish("cam");
    client.until("the publish", publishing);
    for round in 0..3 {
        let payload = Bytes::from(vec![0xaf; 50_000]);
        client.connection.send_media(MessageType::AUDIO, round, payload).expect("it publishes");
        client.flush();
        client.read_for_a_while();
    }
    let until = Instant::now() + Duration::from_secs(10);
    let all = || *counted.lock().expect("nobody panics with it");
    let so_far = || told.so_far.lock().expect("nobody panics with it").clone();
    while so_far().last() != Some(&all()) {
        assert!(Instant::now() < until, "{:?} were told of {:?}", so_far(), all());
        client.read_for_a_while();
    }
    drop(client);
    let ends = || told.ends.lock().expect("nobody panics with it").clone();
    while ends().is_empty() {
        assert!(Instant::now() < until, "the end was not told");
        std::thread::sleep(Duration::from_millis(10));
    }
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(ends(), [all()]);
    let so_far = so_far();
    let grows = |pair: &[Totals]| pair[0].received <= pair[1].received && pair[0] != pair[1];
    assert!(so_far.windows(2).all(grows), "told of nothing new: {so_far:?}");
}
