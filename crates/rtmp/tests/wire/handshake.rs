//! The handshake against what real programs sent, against itself, and against nonsense.
//!
//! `testdata` holds all bytes a client sent to a server whose entropy was 32 times 7, until it
//! waited for the answer to its `connect`; their names say the program and its version.

use bytes::BytesMut;
use hmac::{Hmac, KeyInit, Mac};
use millstream_rtmp::chunk::{ChunkLimits, ChunkReader};
use millstream_rtmp::handshake::*;
use millstream_rtmp::message::MessageType;
use proptest::collection::vec;
use proptest::prelude::*;
use sha2::Sha256;

use crate::support::cut;

/// Signs C1 and C2. As a player FFmpeg gives up on a server whose answer claims to be signed and is
/// not signed rightly; this one it went on to `connect` to.
const FFMPEG_PLAY: &[u8] = include_bytes!("testdata/ffmpeg-5.1.9-play.bin");
/// Signs C1, but as a publisher FFmpeg answers S1 with an echo.
const FFMPEG_PUBLISH: &[u8] = include_bytes!("testdata/ffmpeg-5.1.9-publish.bin");
/// Simple; C2 and `connect` came in one piece.
const RTMPDUMP: &[u8] = include_bytes!("testdata/rtmpdump-2.4-play.bin");

const PLAYER: &[u8] = b"Genuine Adobe Flash Player 001";
const SERVER: &[u8] = b"Genuine Adobe Flash Media Server 001";
const TAIL: [u8; 32] = [
    0xf0, 0xee, 0xc2, 0x4a, 0x80, 0x68, 0xbe, 0xe8, 0x2e, 0x00, 0xd0, 0xd1, 0x02, 0x9e, 0x7e, 0x57,
    0x6e, 0xec, 0x5d, 0x2d, 0x29, 0x80, 0x6f, 0xab, 0x93, 0xb8, 0xe6, 0x36, 0xcf, 0xeb, 0x31, 0xae,
];

fn code(key: &[u8], data: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(data);
    mac.finalize().into_bytes().into()
}

/// The digest of a first packet if it is right, where the scheme with that field says.
fn digest_of(packet: &[u8], key: &[u8], field: usize) -> Option<[u8; 32]> {
    let sum: usize = packet[field..field + 4].iter().map(|&byte| byte as usize).sum();
    let place = field + 4 + sum % 728;
    let code = code(key, &[&packet[..place], &packet[place + 32..]].concat());
    (packet[place..place + 32] == code).then_some(code)
}

fn is_signed_for(packet: &[u8], key: &[u8], digest: [u8; 32]) -> bool {
    let key = code(&[key, &TAIL].concat(), &digest);
    packet[1504..] == code(&key, &packet[..1504])
}

/// All a server says to these bytes, and what it leaves of them.
fn serve(pieces: &[&[u8]]) -> (Result<Progress, HandshakeError>, BytesMut, Vec<u8>) {
    let mut server = ServerHandshake::new([7; 32]);
    let mut out = BytesMut::new();
    let mut received = 0;
    let mut left = Vec::new();
    let mut last = Ok(Progress::NeedMore);
    for piece in pieces {
        let mut input = *piece;
        last = server.receive(&mut input, &mut out);
        received += piece.len() - input.len();
        assert!(received >= 1537 || out.is_empty(), "nothing is sent before C1 is whole");
        left.extend_from_slice(input);
    }
    (last, out, left)
}

fn serve_all_ways(bytes: &[u8]) -> (Result<Progress, HandshakeError>, BytesMut, Vec<u8>) {
    let whole = serve(&[bytes]);
    assert_eq!(whole, serve(&bytes.chunks(1).collect::<Vec<_>>()));
    assert_eq!(whole, serve(&cut(bytes, &[1, 700, 1536, 1537, 1538, 2000, 3072, 3073, 3074])));
    whole
}

#[test]
fn ffmpeg_signs_and_is_answered_in_kind() {
    for bytes in [FFMPEG_PLAY, FFMPEG_PUBLISH] {
        let (progress, out, left) = serve_all_ways(bytes);
        assert_eq!(progress, Ok(Progress::Done));
        assert_eq!((out.len(), out[0]), (3073, 3));
        let (s1, s2) = out[1..].split_at(1536);
        let c1_digest = digest_of(&bytes[1..1537], PLAYER, 8).expect("FFmpeg signs C1");
        let s1_digest = digest_of(s1, SERVER, 8).expect("S1 is signed");
        assert!(is_signed_for(s2, SERVER, c1_digest));
        let c2 = &bytes[1537..3073];
        if bytes == FFMPEG_PLAY {
            assert!(is_signed_for(c2, PLAYER, s1_digest), "FFmpeg found the digest in S1");
        } else {
            assert_eq!(c2, s1);
        }
        assert_connect(&left);
    }
}

#[test]
fn rtmpdump_does_not_sign_and_pipelines_connect() {
    let (progress, out, left) = serve_all_ways(RTMPDUMP);
    assert_eq!(progress, Ok(Progress::Done));
    assert_eq!(out[5..9], [0; 4], "S1 does not claim to be signed");
    assert_eq!(out[1537..], RTMPDUMP[1..1537], "S2 is an echo");
    assert_eq!(RTMPDUMP[1537 + 8..3073], out[9..1537], "as C2 was of S1");
    assert_connect(&left);
}

fn assert_connect(mut left: &[u8]) {
    let connect = ChunkReader::new(ChunkLimits::default()).read(&mut left).unwrap().unwrap();
    assert_eq!(connect.kind, MessageType::COMMAND_AMF0);
    assert_eq!(connect.payload[..10], *b"\x02\x00\x07connect");
}

/// A packet with known bytes, and its digest in either scheme as another program computed it.
fn vector() -> [u8; 1536] {
    std::array::from_fn(|at| (7 * at + 3) as u8)
}

const DIGEST_FIRST: (usize, [u8; 32]) = (
    290,
    [
        0x36, 0xd2, 0x7b, 0x36, 0x5b, 0x84, 0xe5, 0xe5, 0x5f, 0x37, 0x6e, 0x2f, 0x24, 0xf3, 0xa7,
        0xdd, 0x6b, 0x8b, 0x5e, 0x9b, 0x00, 0x2f, 0x03, 0x5f, 0x99, 0x36, 0x6c, 0x07, 0xe4, 0x3b,
        0x8d, 0x41,
    ],
);
const KEY_FIRST: (usize, [u8; 32]) = (
    942,
    [
        0x49, 0x2c, 0x04, 0xeb, 0xd2, 0x65, 0xe6, 0x34, 0x3c, 0x4c, 0x12, 0xf5, 0x58, 0x0a, 0x46,
        0x39, 0x9b, 0xec, 0x27, 0x24, 0x82, 0x1f, 0x27, 0xf3, 0x21, 0xb9, 0x5c, 0xa7, 0x5b, 0x63,
        0xb3, 0x18,
    ],
);

#[test]
fn both_schemes_by_known_vectors() {
    for ((place, digest), field) in [(DIGEST_FIRST, 8), (KEY_FIRST, 772)] {
        let mut c1 = vector();
        c1[place..place + 32].copy_from_slice(&digest);
        let (_, out, _) = serve_all_ways(&[&[3], &c1[..]].concat());
        assert!(digest_of(&out[1..1537], SERVER, field).is_some(), "S1 in the client's scheme");
        assert!(is_signed_for(&out[1537..], SERVER, digest));
    }
}

#[test]
fn wrong_digest_falls_back_to_simple() {
    for (place, digest) in [DIGEST_FIRST, KEY_FIRST] {
        for bit in [0, 100, 255] {
            let mut c1 = vector();
            c1[place..place + 32].copy_from_slice(&digest);
            c1[place + bit / 8] ^= 1 << (bit % 8);
            let (progress, out, _) = serve_all_ways(&[&[3], &c1[..], &[0; 1536]].concat());
            assert_eq!(progress, Ok(Progress::Done), "and C2 may be anything");
            assert_eq!((&out[5..9], &out[1537..]), (&[0; 4][..], &c1[..]));
        }
    }
}

#[test]
fn versions() {
    for version in 0..=255 {
        let (result, out, left) = serve(&[&[version, 0, 0]]);
        match version {
            3 => {
                assert_eq!((result, left.len()), (Ok(Progress::NeedMore), 0));
                continue;
            }
            6 | 8 | 9 => assert_eq!(result, Err(HandshakeError::Encrypted { version })),
            _ => assert_eq!(result, Err(HandshakeError::UnsupportedVersion { version })),
        }
        assert_eq!((out.len(), left.len()), (0, 3), "nothing is taken or sent");
        let mut client = ClientHandshake::new([1; 32], Style::Digest);
        assert_eq!(client.receive(&mut &[version][..], &mut BytesMut::new()), result);
    }
}

#[test]
fn refusal_is_final() {
    let mut server = ServerHandshake::new([1; 32]);
    let refusal = Err(HandshakeError::Encrypted { version: 6 });
    let mut input = &[6u8, 3][..];
    assert_eq!(server.receive(&mut input, &mut BytesMut::new()), refusal);
    assert_eq!(server.receive(&mut input, &mut BytesMut::new()), refusal);
}

#[test]
fn waiting_for_c2_takes_no_more_than_c2() {
    let mut server = ServerHandshake::new([1; 32]);
    let mut out = BytesMut::new();
    assert_eq!(server.receive(&mut &RTMPDUMP[..3072], &mut out), Ok(Progress::NeedMore));
    assert_eq!(out.len(), 3073);
    let mut rest = &RTMPDUMP[3072..];
    for _ in 0..2 {
        assert_eq!(server.receive(&mut rest, &mut out), Ok(Progress::Done));
        assert_eq!(rest.len(), RTMPDUMP.len() - 3073);
    }
    assert_eq!(out.len(), 3073);
}

#[test]
fn machines_are_small_before_bytes_arrive() {
    assert!(size_of::<ServerHandshake>() <= 64);
    assert!(size_of::<ClientHandshake>() <= 72);
}

/// A server of the other style than the client expects: S1 is not signed, so C2 is an echo.
#[test]
fn digest_client_falls_back_to_simple() {
    let mut client = ClientHandshake::new([1; 32], Style::Digest);
    let mut out = BytesMut::new();
    let s1: [u8; 1536] = vector();
    let mut input = &[&[3], &s1[..], &[0; 1536], b"more"].concat()[..];
    assert_eq!(client.receive(&mut input, &mut out), Ok(Progress::Done));
    assert_eq!(input, b"more");
    assert!(digest_of(&out[1..1537], PLAYER, 8).is_some());
    assert_eq!(out[1537..], s1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Both styles, cut at random both ways, with bytes behind the handshake on both sides.
    #[test]
    fn client_and_server(
        entropies: ([u8; 32], [u8; 32]),
        digest: bool,
        piece_sizes in vec(1usize..2000, 1..10),
    ) {
        let style = if digest { Style::Digest } else { Style::Simple };
        let mut client = ClientHandshake::new(entropies.0, style);
        let mut server = ServerHandshake::new(entropies.1);
        let (mut to_server, mut to_client) = (BytesMut::new(), BytesMut::new());
        let (mut all_to_server, mut all_to_client) = (Vec::new(), Vec::new());
        client.start(&mut to_server);
        client.start(&mut to_server);
        prop_assert_eq!(to_server.len(), 1537);
        let mut done = (false, false);
        for size in piece_sizes.into_iter().cycle() {
            let mut out = BytesMut::new();
            let taken = to_server.split_to(size.min(to_server.len()));
            all_to_server.extend_from_slice(&taken);
            let mut input = &taken[..];
            done.1 = server.receive(&mut input, &mut out).unwrap() == Progress::Done;
            prop_assert!(input.is_empty());
            to_client.extend_from_slice(&out);
            out.clear();
            let taken = to_client.split_to(size.min(to_client.len()));
            all_to_client.extend_from_slice(&taken);
            let mut input = &taken[..];
            done.0 = client.receive(&mut input, &mut out).unwrap() == Progress::Done;
            prop_assert!(input.is_empty());
            to_server.extend_from_slice(&out);
            if done == (true, true) {
                break;
            }
        }
        prop_assert_eq!(all_to_server.len() as u64, HANDSHAKE_BYTES);
        prop_assert_eq!(all_to_client.len() as u64, HANDSHAKE_BYTES);
        let (c1, c2) = all_to_server[1..].split_at(1536);
        let (s1, s2) = all_to_client[1..].split_at(1536);
        if digest {
            let (c1_digest, s1_digest) = (digest_of(c1, PLAYER, 8), digest_of(s1, SERVER, 8));
            prop_assert!(is_signed_for(s2, SERVER, c1_digest.unwrap()));
            prop_assert!(is_signed_for(c2, PLAYER, s1_digest.unwrap()));
        } else {
            prop_assert_eq!((c1, s1), (s2, c2));
            prop_assert_eq!((&c1[..8], &s1[..8]), (&[0; 8][..], &[0; 8][..]));
        }
    }

    /// Nonsense is refused or taken as simple, the same however it is cut.
    #[test]
    fn random_bytes(bytes in vec(any::<u8>(), 0..3200), valid: bool, places in vec(any::<usize>(), 9)) {
        let mut bytes = bytes;
        if let (true, Some(first)) = (valid, bytes.first_mut()) {
            *first = 3;
        }
        let whole = serve(&[&bytes]);
        let (result, out, _) = &whole;
        prop_assert_eq!(out.len(), if bytes.len() >= 1537 && result.is_ok() { 3073 } else { 0 });
        if result.is_ok() {
            prop_assert_eq!(&whole, &serve(&cut(&bytes, &places)));
        }
    }
}
