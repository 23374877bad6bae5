//! Any bytes after the handshake into a server connection. The oracles: nothing panics; events and
//! the error do not depend on how the bytes are cut; what is to be sent stays bounded and is read
//! by a client connection without fault; held and partial memory stays in its limits.
//!
//! The first two bytes choose cuts and how requests are answered, the rest is the wire.
#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use millstream_rtmp::client::ClientOptions;
use millstream_rtmp::connection::{ClientConnection, ServerConnection};
use millstream_rtmp::limits::UNREAD_ANSWER_BYTES_MAX;
use millstream_rtmp::server::{ServerEvent, ServerOptions};
use millstream_rtmp::session::{AnswerError, Rejection};

fuzz_target!(|data: &[u8]| {
    let [cuts, ways, wire @ ..] = data else { return };
    let whole = run([wire], *ways);
    let pieces = run(wire.chunks(usize::from(*cuts) + 1), *ways);
    // Answers that nobody takes within one long read are an error that short reads do not have.
    let unread = |outcome: &Outcome| outcome.1 == Some("answers-unread");
    if !unread(&whole) && !unread(&pieces) {
        assert_eq!(whole, pieces);
    }
});

/// Events, written down (NaN has to equal itself), and the name of the error.
type Outcome = (Vec<String>, Option<&'static str>);

fn run<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, ways: u8) -> Outcome {
    let options = ServerOptions::default();
    let mut server = ServerConnection::new(&options, [7; 32]);
    let mut client = ClientConnection::new(ClientOptions::new("live", "rtmp://host/live"), [8; 32])
        .expect("short options can be written");
    open(&mut server, &mut client);
    let mut events = Vec::new();
    let mut error = None;
    'reads: for mut piece in pieces {
        loop {
            match server.receive(&mut piece) {
                Ok(Some(event)) => {
                    events.push(format!("{event:?}"));
                    answer(&mut server, &event, ways.rotate_left(events.len() as u32 % 8));
                }
                Ok(None) => break assert!(piece.is_empty()),
                Err(failed) => {
                    error = Some(failed.name());
                    break 'reads;
                }
            }
        }
        assert!(server.reassembly_bytes() <= options.chunk_limits.reassembly_bytes_max);
        carry(&mut server, &mut client);
    }
    carry(&mut server, &mut client);
    (events, error)
}

/// The handshake of both; the client's own commands are thrown away.
fn open(server: &mut ServerConnection, client: &mut ClientConnection) {
    let hello = client.output().split();
    let event = server.receive(&mut &hello[..]);
    assert_eq!(event.expect("a handshake of our own"), None);
    carry(server, client);
    let packet = client.output().split();
    let event = server.receive(&mut &packet[..1536]);
    assert_eq!(event.expect("a handshake of our own"), None);
    assert!(server.is_open());
}

/// What the server says is RTMP, whatever it was told.
fn carry(server: &mut ServerConnection, client: &mut ClientConnection) {
    let out: BytesMut = server.output().split();
    // One read is at most 16 KiB here, and each of its commands is answered with less than this.
    assert!(out.len() < UNREAD_ANSWER_BYTES_MAX + (4 << 20));
    let mut input = &out[..];
    while client.receive(&mut input).expect("a server of our own").is_some() {}
    assert!(input.is_empty());
    if client.is_open() && server.is_open() {
        client.output().clear();
    }
}

/// Accepts, refuses or leaves a request open. It may be gone only if it was replaced.
fn answer(server: &mut ServerConnection, event: &ServerEvent, way: u8) {
    let rejection = Rejection::bad_name("no");
    let result = match (event, way % 4) {
        (ServerEvent::Connect(connect), 3) => server.reject_connect(connect.request, &rejection),
        (ServerEvent::Connect(connect), _) => server.accept_connect(connect.request),
        (ServerEvent::Publish(publish), 0 | 1) => server.accept_publish(publish.request),
        (ServerEvent::Publish(publish), 2) => server.reject_publish(publish.request, &rejection),
        (ServerEvent::Play(play), 0 | 1) => server.accept_play(play.request),
        (ServerEvent::Play(play), 2) => server.reject_play(play.request, &rejection),
        _ => Ok(()),
    };
    // What was released at once may have been withdrawn or replaced before its event is seen.
    assert!(matches!(result, Ok(()) | Err(AnswerError::NotOpen)));
}
