//! A client that has shaken hands, asked to publish and to play, gives the same events to the same
//! chunks of a server in any pieces, and sends little for them.

#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use millstream_rtmp::{
    chunk::ChunkLimits,
    client::{ClientOptions, PlayOptions},
    connection::ClientConnection,
    handshake::ServerHandshake,
    session::PublishMode,
};

fuzz_target!(|data: &[u8]| {
    let Some((&choice, data)) = data.split_first() else { return };
    let whole = run(data, data.len().max(1), choice);
    assert_eq!(run(data, usize::from(choice >> 1) + 1, choice), whole);
});

/// The events as text, for NaN is not equal to itself, and whether the connection came to an end.
fn run(data: &[u8], piece: usize, choice: u8) -> (Vec<String>, bool) {
    let mut client = open(choice);
    let mut events = Vec::new();
    let mut sent = 0;
    for mut input in data.chunks(piece) {
        loop {
            let event = client.receive(&mut input);
            sent += client.output().split().len();
            match event {
                Ok(Some(event)) => {
                    // Whether anything may be sent yet depends on the events, as it should.
                    let _ = client.send_metadata(0, millstream_amf0::Value::Null);
                    events.push(format!("{event:?}"));
                }
                Ok(None) => break,
                Err(_) => return (events, true),
            }
        }
        assert!(input.is_empty());
    }
    assert!(sent <= 4096 + 256 * data.len(), "{sent} bytes for {}", data.len());
    (events, false)
}

fn open(choice: u8) -> ClientConnection {
    let mut options = ClientOptions::new("live", "rtmp://localhost/live");
    options.chunk_limits = ChunkLimits {
        message_bytes_max: 16 << 10,
        reassembly_bytes_max: 64 << 10,
        ..ChunkLimits::default()
    };
    let mut client = ClientConnection::new(options, [choice; 32]).expect("the options are sound");
    let mut server = ServerHandshake::new([7; 32]);
    let mut down = BytesMut::new();
    while !client.is_open() {
        let up = client.output().split();
        assert!(!up.is_empty(), "the handshake goes on until it is done");
        assert!(server.receive(&mut &up[..], &mut down).is_ok());
        let answer = down.split();
        assert_eq!(client.receive(&mut &answer[..]), Ok(None));
    }
    let _ = client.publish("in", PublishMode::Live);
    let _ = client.play("out", PlayOptions::default());
    client
}
