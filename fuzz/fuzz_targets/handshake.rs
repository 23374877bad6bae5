//! Any bytes into both sides of the handshake. The oracles: nothing panics; nothing is sent before
//! the peer's first packet is whole; answers do not depend on how the bytes are cut; exactly 3073
//! bytes are taken; and a client meets the server even when its first packet was damaged on the way.
//!
//! The first four bytes choose entropy, cuts and the damage, the rest is the wire.
#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use millstream_rtmp::handshake::{ClientHandshake, Progress, ServerHandshake, Style};

fuzz_target!(|data: &[u8]| {
    let [seed, cuts, place_high, place_low, wire @ ..] = data else { return };
    let pieces = usize::from(*cuts) * 8 + 1;
    let whole = serve(*seed, [wire]);
    assert_eq!(whole, serve(*seed, wire.chunks(pieces)));
    ask(*seed, wire.chunks(pieces));

    let place = usize::from(u16::from_be_bytes([*place_high, *place_low]));
    meet(*seed, place, wire.first().copied().unwrap_or(0));
});

/// What the server says, whether it is done, and how much it takes.
fn serve<'a>(seed: u8, pieces: impl IntoIterator<Item = &'a [u8]>) -> (BytesMut, bool, usize) {
    let mut server = ServerHandshake::new([seed; 32]);
    let mut out = BytesMut::new();
    let mut taken = 0;
    let mut done = false;
    for piece in pieces {
        let mut input = piece;
        let result = server.receive(&mut input, &mut out);
        taken += piece.len() - input.len();
        assert_eq!(out.len(), if taken >= 1537 { 3073 } else { 0 });
        done = match result {
            Ok(Progress::Done) => true,
            Ok(Progress::NeedMore) => {
                assert!(input.is_empty());
                false
            }
            Err(_) => {
                assert_eq!(taken, 0);
                break;
            }
        };
        assert_eq!(done, taken == 3073);
    }
    (out, done, taken)
}

/// The same for a client.
fn ask<'a>(seed: u8, pieces: impl IntoIterator<Item = &'a [u8]>) {
    let mut client = ClientHandshake::new([seed; 32], Style::Digest);
    let mut out = BytesMut::new();
    let mut taken = 0;
    for piece in pieces {
        let mut input = piece;
        let result = client.receive(&mut input, &mut out);
        taken += piece.len() - input.len();
        assert_eq!(out.len(), if taken >= 1537 { 3073 } else { 1537 });
        assert_eq!(result == Ok(Progress::Done), taken == 3073);
    }
}

/// A client that signs meets a server, with one byte of C1 changed by `damage`.
fn meet(seed: u8, place: usize, damage: u8) {
    let mut client = ClientHandshake::new([seed; 32], Style::Digest);
    let mut server = ServerHandshake::new([!seed; 32]);
    let (mut to_server, mut to_client) = (BytesMut::new(), BytesMut::new());
    client.start(&mut to_server);
    to_server[1 + place % 1536] ^= damage;
    let waits = server.receive(&mut &to_server.split()[..], &mut to_client);
    assert_eq!(waits, Ok(Progress::NeedMore));
    // Damage to the digest, to what it covers or to where it stands takes the signature away.
    let signed = to_client[5..9] != [0; 4];
    assert_eq!(signed, damage == 0);
    assert_eq!(client.receive(&mut &to_client[..], &mut to_server), Ok(Progress::Done));
    assert_eq!(server.receive(&mut &to_server[..], &mut to_client), Ok(Progress::Done));
    assert_eq!(to_client.len(), 3073);
}
