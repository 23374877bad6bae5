//! Any bytes after the handshake into a client connection that publishes and plays. The oracles:
//! nothing panics; events and the error do not depend on how the bytes are cut; what is to be sent
//! is read by a server connection without fault of form.
//!
//! The first byte chooses cuts, the rest is the wire.
#![no_main]

use libfuzzer_sys::fuzz_target;
use millstream_rtmp::client::{ClientEvent, ClientOptions, PlayOptions};
use millstream_rtmp::connection::{ClientConnection, ServerConnection};
use millstream_rtmp::message::MessageType;
use millstream_rtmp::server::{ServerEvent, ServerOptions};
use millstream_rtmp::session::{Fault, PublishMode};

fuzz_target!(|data: &[u8]| {
    let [cuts, wire @ ..] = data else { return };
    let whole = run([wire]);
    let pieces = run(wire.chunks(usize::from(*cuts) + 1));
    let unread = |outcome: &Outcome| outcome.1 == Some("answers-unread");
    if !unread(&whole) && !unread(&pieces) {
        assert_eq!(whole, pieces);
    }
});

/// Events, written down (NaN has to equal itself), and the name of the error.
type Outcome = (Vec<String>, Option<&'static str>);

fn run<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Outcome {
    let mut server = ServerConnection::new(&ServerOptions::default(), [7; 32]);
    let mut client = ClientConnection::new(ClientOptions::new("live", "rtmp://host/live"), [8; 32])
        .expect("short options can be written");
    client.publish("a", PublishMode::Live).expect("there is room for a stream");
    client.play("b", PlayOptions::default()).expect("there is room for a stream");
    let hello = client.output().split();
    let event = server.receive(&mut &hello[..]);
    assert_eq!(event.expect("a handshake of our own"), None);
    let reply = server.output().split();
    let event = client.receive(&mut &reply[..]);
    assert_eq!(event.expect("a handshake of our own"), None);

    let mut events = Vec::new();
    let mut error = None;
    'reads: for mut piece in pieces {
        loop {
            match client.receive(&mut piece) {
                Ok(Some(event)) => {
                    if let ClientEvent::Publishing { .. } = event {
                        let frame = bytes::Bytes::from_static(b"\x17\x01");
                        client
                            .send_media(MessageType::VIDEO, 40, frame)
                            .expect("a publisher may send");
                    }
                    events.push(format!("{event:?}"));
                }
                Ok(None) => break assert!(piece.is_empty()),
                Err(failed) => {
                    error = Some(failed.name());
                    break 'reads;
                }
            }
        }
        carry(&mut client, &mut server);
    }
    carry(&mut client, &mut server);
    (events, error)
}

/// What the client says is RTMP. A server that was led astray may object to when it is said, never
/// to how.
fn carry(client: &mut ClientConnection, server: &mut ServerConnection) {
    let out = client.output().split();
    let mut input = &out[..];
    loop {
        match server.receive(&mut input) {
            Ok(Some(ServerEvent::Connect(connect))) => {
                server.accept_connect(connect.request).expect("it is open");
            }
            Ok(Some(_)) => {}
            Ok(None) => break,
            Err(error) => {
                assert_ne!(error.fault(), Fault::Malformed, "{error}");
                break;
            }
        }
    }
    server.output().clear();
}
