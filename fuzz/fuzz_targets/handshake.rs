//! Both ends answer the same to the same bytes in any pieces, take no more than the handshake, and
//! a server sends nothing long before it has received as much.

#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use millstream_rtmp::handshake::{
    ClientHandshake, HANDSHAKE_BYTES, HandshakeError, Progress, ServerHandshake, Style,
};

fuzz_target!(|data: &[u8]| {
    let Some((&choice, data)) = data.split_first() else { return };
    let piece = usize::from(choice >> 1) + 1;
    // Short inputs stand for long ones: the bytes are repeated to the length of a handshake.
    let length = HANDSHAKE_BYTES as usize + 16;
    let data: Vec<u8> = data.iter().copied().cycle().take(length.min(data.len() * 64)).collect();

    let server = || {
        let mut handshake = ServerHandshake::new([choice; 32]);
        move |input: &mut &[u8], out: &mut BytesMut| handshake.receive(input, out)
    };
    let whole = run(server(), &data, data.len().max(1));
    assert_eq!(run(server(), &data, piece), whole);
    if whole.consumed < 1537 {
        assert!(whole.out.len() <= whole.consumed);
    }

    let style = if choice & 1 == 0 { Style::Simple } else { Style::Digest };
    let client = || {
        let mut handshake = ClientHandshake::new([choice; 32], style);
        handshake.start(&mut BytesMut::new());
        move |input: &mut &[u8], out: &mut BytesMut| handshake.receive(input, out)
    };
    assert_eq!(run(client(), &data, piece), run(client(), &data, data.len().max(1)));
});

#[derive(Debug, PartialEq)]
struct Run {
    result: Result<Progress, HandshakeError>,
    out: BytesMut,
    consumed: usize,
}

fn run(
    mut receive: impl FnMut(&mut &[u8], &mut BytesMut) -> Result<Progress, HandshakeError>,
    data: &[u8],
    piece: usize,
) -> Run {
    let mut run = Run { result: Ok(Progress::NeedMore), out: BytesMut::new(), consumed: 0 };
    for mut input in data.chunks(piece) {
        let before = input.len();
        run.result = receive(&mut input, &mut run.out);
        let consumed = before - input.len();
        // Where within a piece a fault is found is the machine's own affair.
        run.consumed += if run.result.is_ok() { consumed } else { 0 };
        if run.result != Ok(Progress::NeedMore) {
            break;
        }
        assert!(input.is_empty());
    }
    if run.result.is_err() {
        run.consumed = 0;
    }
    assert!(run.consumed as u64 <= HANDSHAKE_BYTES);
    run
}
