//! A server that has shaken hands and accepts what it is asked gives the same events to the same
//! chunks in any pieces, reports no media of streams that were not accepted, and answers a byte
//! with few.

#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use millstream_rtmp::{
    chunk::ChunkLimits,
    connection::ServerConnection,
    handshake::{ClientHandshake, Style},
    server::{ServerEvent, ServerOptions},
    session::Rejection,
};

fuzz_target!(|data: &[u8]| {
    let Some((&choice, data)) = data.split_first() else { return };
    let whole = run(data, data.len().max(1), choice);
    assert_eq!(run(data, usize::from(choice >> 1) + 1, choice), whole);
});

/// The events as text, for NaN is not equal to itself, and whether the connection came to an end.
fn run(data: &[u8], piece: usize, choice: u8) -> (Vec<String>, bool) {
    let mut server = open(choice);
    let mut events = Vec::new();
    let mut publishing = Vec::new();
    let mut sent = 0;
    for mut input in data.chunks(piece) {
        loop {
            let event = server.receive(&mut input);
            sent += server.output().split().len();
            match event {
                Ok(Some(event)) => {
                    // Odd choices refuse every other request.
                    let refuse = choice & 1 == 1 && events.len() % 2 == 1;
                    answer(&mut server, &event, refuse, &mut publishing);
                    events.push(format!("{event:?}"));
                }
                Ok(None) => break,
                Err(_) => return (events, true),
            }
            assert!(server.reassembly_bytes() <= 64 << 10);
        }
        assert!(input.is_empty());
    }
    // A command of a few bytes has answers of some hundred.
    assert!(sent <= 4096 + 256 * data.len(), "{sent} bytes for {}", data.len());
    (events, false)
}

fn open(choice: u8) -> ServerConnection {
    let chunk_limits = ChunkLimits {
        message_bytes_max: 16 << 10,
        reassembly_bytes_max: 64 << 10,
        ..ChunkLimits::default()
    };
    let options = ServerOptions { chunk_limits, ..ServerOptions::default() };
    let mut server = ServerConnection::new(&options, [choice; 32]);
    let mut client = ClientHandshake::new([7; 32], Style::Simple);
    let mut up = BytesMut::new();
    client.start(&mut up);
    while !up.is_empty() {
        let sent = up.split();
        assert_eq!(server.receive(&mut &sent[..]), Ok(None));
        let down = server.output().split();
        let progress = client.receive(&mut &down[..], &mut up);
        assert!(progress.is_ok());
    }
    assert!(server.is_open());
    server
}

fn answer(
    server: &mut ServerConnection,
    event: &ServerEvent,
    refuse: bool,
    publishing: &mut Vec<u32>,
) {
    let refused = Rejection::connect("no");
    let answered = match event {
        ServerEvent::Connect(connect) if refuse => server.reject_connect(connect.request, &refused),
        ServerEvent::Connect(connect) => server.accept_connect(connect.request),
        ServerEvent::Publish(publish) if refuse => server.reject_publish(publish.request, &refused),
        ServerEvent::Publish(publish) => {
            publishing.push(publish.stream_id);
            server.accept_publish(publish.request)
        }
        ServerEvent::Play(play) if refuse => server.reject_play(play.request, &refused),
        ServerEvent::Play(play) => server.accept_play(play.request),
        ServerEvent::Media(message) => {
            assert!(publishing.contains(&message.stream_id));
            Ok(())
        }
        ServerEvent::Data(data) => {
            assert!(publishing.contains(&data.stream_id));
            Ok(())
        }
        ServerEvent::Unpublish { stream_id, .. } => {
            publishing.retain(|publisher| publisher != stream_id);
            Ok(())
        }
        _ => Ok(()),
    };
    // A request may have been withdrawn by what came behind it in the same piece.
    let _ = answered;
}
