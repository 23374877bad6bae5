//! Servers that misbehave, each a script of what it does with a connection. Where a script is polite
//! it speaks RTMP as a good server does, up to the point that its name tells.
//!
//! Scripts end when the client goes; the servers run until the test program ends.

use super::dialogue::{Dialogue, Wish};
use bytes::BytesMut;
use loadtest::media::shape::Shape;
use millstream_rtmp::chunk::write_standalone;
use millstream_rtmp::control::Control;
use millstream_rtmp::message::MessageType;
use millstream_rtmp::server::{Play, ServerOptions};
use millstream_rtmp::session::Rejection;
use socket2::SockRef;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

/// C0 and C1, or S0 and S1 (RTMP 1.0, section 5.2).
const FIRST_HALF: usize = 1537;
/// Chunk headers of type 3 on a chunk stream that was never used.
const NONSENSE: [u8; 512] = [0xff; 512];
/// Between two frames, or two bytes of what only trickles.
const PAUSE: Duration = Duration::from_millis(33);

/// What is done with a connection. The answer is whether the client was there to the end: most
/// scripts do not care.
pub type Script = fn(TcpStream) -> Option<()>;

/// Starts a server. Returns where it listens.
pub fn start(script: Script) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let socket = socket.unwrap();
            socket.set_nodelay(true).unwrap();
            std::thread::spawn(move || script(socket));
        }
    });
    address
}

/// An address where nobody listens.
pub fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

// Before and in the handshake.

/// Accepts, and never says anything.
pub fn says_nothing(mut socket: TcpStream) -> Option<()> {
    discard(&mut socket)
}

/// Says half of S1.
pub fn stops_in_the_handshake(mut socket: TcpStream) -> Option<()> {
    first_half(&mut socket)?;
    socket.write_all(&[3; FIRST_HALF / 2]).ok()?;
    discard(&mut socket)
}

/// Says a byte now and then: by its bytes alone it is alive.
pub fn trickles_the_handshake(mut socket: TcpStream) -> Option<()> {
    loop {
        socket.write_all(&[3]).ok()?;
        std::thread::sleep(PAUSE);
    }
}

/// Is a web server.
pub fn speaks_http(mut socket: TcpStream) -> Option<()> {
    socket.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n").ok()?;
    discard(&mut socket)
}

/// Closes as soon as the client has spoken.
pub fn closes_in_the_handshake(mut socket: TcpStream) -> Option<()> {
    first_half(&mut socket)?;
    close(socket)
}

/// Resets as soon as the client has spoken.
pub fn resets_in_the_handshake(mut socket: TcpStream) -> Option<()> {
    first_half(&mut socket)?;
    reset(&socket)
}

// At `connect`.

/// Never answers it.
pub fn ignores_connect(socket: TcpStream) -> Option<()> {
    let mut dialogue = polite(socket);
    dialogue.connect()?;
    discard(&mut dialogue.socket)
}

/// Answers `_error`.
pub fn refuses_connect(socket: TcpStream) -> Option<()> {
    let mut dialogue = polite(socket);
    let request = dialogue.connect()?;
    dialogue.rtmp.reject_connect(request, &Rejection::connect("not you")).unwrap();
    dialogue.rest();
    Some(())
}

/// Answers with what is no RTMP.
pub fn answers_nonsense(socket: TcpStream) -> Option<()> {
    let mut dialogue = polite(socket);
    dialogue.connect()?;
    dialogue.send(&NONSENSE)?;
    discard(&mut dialogue.socket)
}

/// Announces chunks of no bytes.
pub fn announces_chunks_of_nothing(socket: TcpStream) -> Option<()> {
    announces(socket, 0)
}

/// Announces chunks of 2^31 bytes, a number that the format does not have (5.4.1).
pub fn announces_chunks_without_end(socket: TcpStream) -> Option<()> {
    announces(socket, 0x8000_0000)
}

fn announces(socket: TcpStream, chunk_size: u32) -> Option<()> {
    let mut dialogue = polite(socket);
    dialogue.connect()?;
    let announcement = Control::SetChunkSize(chunk_size).encode();
    let mut bytes = BytesMut::new();
    write_standalone(announcement.kind, 2, 0, 0, &announcement.payload, 128, &mut bytes);
    dialogue.send(&bytes)?;
    discard(&mut dialogue.socket)
}

// At `createStream`, `publish` and `play`.

/// Lets the client in and then hears nothing more, `createStream` to begin with.
pub fn ignores_create_stream(socket: TcpStream) -> Option<()> {
    let mut dialogue = polite(socket);
    let request = dialogue.connect()?;
    dialogue.rtmp.accept_connect(request).unwrap();
    dialogue.flush()?;
    discard(&mut dialogue.socket)
}

/// Never answers `publish` nor `play`.
pub fn ignores_requests(socket: TcpStream) -> Option<()> {
    let mut dialogue = polite(socket);
    dialogue.wish()?;
    dialogue.rest();
    Some(())
}

/// Has the name taken.
pub fn refuses_publish(socket: TcpStream) -> Option<()> {
    let mut dialogue = polite(socket);
    if let Wish::Publish(publish) = dialogue.wish()? {
        dialogue.rtmp.reject_publish(publish.request, &Rejection::bad_name("taken")).unwrap();
    }
    dialogue.rest();
    Some(())
}

/// Takes what publishers send, and knows of nothing to play.
pub fn refuses_play(socket: TcpStream) -> Option<()> {
    let (mut dialogue, play) = player(socket)?;
    dialogue.rtmp.reject_play(play.request, &Rejection::not_found("no such stream")).unwrap();
    dialogue.rest();
    Some(())
}

/// Never answers `play`.
pub fn ignores_play(socket: TcpStream) -> Option<()> {
    let (mut dialogue, _) = player(socket)?;
    dialogue.rest();
    Some(())
}

// To players.

/// Says that media will come. None does.
pub fn sends_no_media(socket: TcpStream) -> Option<()> {
    let (mut dialogue, _) = playing(socket)?;
    dialogue.rest();
    Some(())
}

/// Tells how to decode, and leaves it at that.
pub fn sends_configurations_alone(socket: TcpStream) -> Option<()> {
    let (mut dialogue, play) = playing(socket)?;
    for (kind, payload) in Shape::new(500_000, 30).opening() {
        dialogue.send(&media(*kind, &play, 0, payload))?;
    }
    dialogue.rest();
    Some(())
}

/// Sends frames that no publisher sent.
pub fn sends_frames_without_marks(socket: TcpStream) -> Option<()> {
    let (mut dialogue, play) = playing(socket)?;
    for time in (0..).step_by(33) {
        let video = [&[0x27, 1, 0, 0, 0][..], &[0x41; 300]].concat();
        dialogue.send(&media(MessageType::VIDEO, &play, time, &video))?;
        let audio = [&[0xaf, 1][..], &[0x21; 100]].concat();
        dialogue.send(&media(MessageType::AUDIO, &play, time, &audio))?;
        std::thread::sleep(PAUSE);
    }
    Some(())
}

/// Closes in the middle of the first frame.
pub fn closes_in_a_message(socket: TcpStream) -> Option<()> {
    let (mut dialogue, play) = playing(socket)?;
    let frame = media(MessageType::VIDEO, &play, 0, &[0x27; 1000]);
    dialogue.send(&frame[..400])?;
    close(dialogue.socket)
}

/// Resets when the client plays.
pub fn resets_players(socket: TcpStream) -> Option<()> {
    let (dialogue, _) = playing(socket)?;
    reset(&dialogue.socket)
}

/// Begins a frame longer than any there is, of which bytes come now and then.
pub fn begins_a_message_too_long(socket: TcpStream) -> Option<()> {
    begins_a_message(socket, 0x00ff_ffff)
}

/// Begins a frame of eight megabytes, of which bytes come now and then.
pub fn begins_a_message_without_end(socket: TcpStream) -> Option<()> {
    begins_a_message(socket, 8 << 20)
}

fn begins_a_message(socket: TcpStream, length: usize) -> Option<()> {
    let (mut dialogue, play) = playing(socket)?;
    let frame = media(MessageType::VIDEO, &play, 0, &vec![0x27; length]);
    for bytes in frame.chunks(100) {
        dialogue.send(bytes)?;
        std::thread::sleep(PAUSE);
    }
    Some(())
}

// What scripts are made of.

fn polite(socket: TcpStream) -> Dialogue<TcpStream> {
    let out = socket.try_clone().unwrap();
    Dialogue::new(socket, out, &ServerOptions::default())
}

/// Waits for a client that wants to play. Publishers are served here to their end.
fn player(socket: TcpStream) -> Option<(Dialogue<TcpStream>, Box<Play>)> {
    let mut dialogue = polite(socket);
    match dialogue.wish()? {
        Wish::Play(play) => Some((dialogue, play)),
        Wish::Publish(publish) => {
            dialogue.rtmp.accept_publish(publish.request).unwrap();
            dialogue.rest();
            None
        }
    }
}

/// As [`player`], and lets it play.
fn playing(socket: TcpStream) -> Option<(Dialogue<TcpStream>, Box<Play>)> {
    let (mut dialogue, play) = player(socket)?;
    dialogue.rtmp.accept_play(play.request).unwrap();
    dialogue.flush()?;
    Some((dialogue, play))
}

fn media(kind: MessageType, play: &Play, time: u32, payload: &[u8]) -> BytesMut {
    let mut bytes = BytesMut::new();
    let chunk_size = ServerOptions::default().chunk_size;
    write_standalone(kind, 6, time, play.stream_id, payload, chunk_size, &mut bytes);
    bytes
}

fn first_half(socket: &mut TcpStream) -> Option<()> {
    socket.read_exact(&mut [0; FIRST_HALF]).ok()
}

/// Reads whatever comes until the client goes.
fn discard(socket: &mut TcpStream) -> Option<()> {
    while socket.read(&mut [0; 4096]).ok()? > 0 {}
    Some(())
}

/// Ends the connection in order. What the client still sends is read, or it would be a reset.
fn close(mut socket: TcpStream) -> Option<()> {
    socket.shutdown(Shutdown::Write).ok()?;
    discard(&mut socket)
}

/// Has the connection reset when the last handle of its socket is dropped.
fn reset(socket: &TcpStream) -> Option<()> {
    SockRef::from(socket).set_linger(Some(Duration::ZERO)).ok()
}
