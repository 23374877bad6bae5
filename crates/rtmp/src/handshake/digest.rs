//! The digests of the handshake that Flash Player 9 introduced: keys, places and signatures.
//!
//! No document of Adobe describes it; the facts are common to FFmpeg, librtmp, nginx-rtmp and SRS.
//!
//! ```text
//!               | time 4 | version 4 | 764 bytes                | 764 bytes                |
//! digest first                       | place 4, digest in 728   | Diffie-Hellman key       |
//! key first                          | Diffie-Hellman key       | place 4, digest in 728   |
//! ```
//!
//! The four bytes of the place, added up modulo 728, are the digest's offset after them. The digest
//! is the HMAC of the packet without it. The second packets are random bytes and, in the last 32,
//! their HMAC under a key derived from the digest of the peer's first packet.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::packet::{PACKET_BYTES, Packet, Purpose, fill};

/// The length of a digest.
pub(super) const DIGEST_BYTES: usize = 32;

/// One HMAC-SHA256.
pub(super) type Code = [u8; DIGEST_BYTES];

/// Whose built-in key is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Client,
    Server,
}

impl Side {
    /// The readable half of the key signs first packets.
    fn first_key(self) -> &'static [u8] {
        match self {
            Self::Client => b"Genuine Adobe Flash Player 001",
            Self::Server => b"Genuine Adobe Flash Media Server 001",
        }
    }
}

/// The second half of both keys.
const KEY_TAIL: [u8; 32] = [
    0xf0, 0xee, 0xc2, 0x4a, 0x80, 0x68, 0xbe, 0xe8, 0x2e, 0x00, 0xd0, 0xd1, 0x02, 0x9e, 0x7e, 0x57,
    0x6e, 0xec, 0x5d, 0x2d, 0x29, 0x80, 0x6f, 0xab, 0x93, 0xb8, 0xe6, 0x36, 0xcf, 0xeb, 0x31, 0xae,
];

/// Where a first packet has its digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    DigestFirst,
    KeyFirst,
}

impl Scheme {
    /// The offset of the digest in a packet: at most 1503.
    fn place(self, packet: &Packet) -> usize {
        let field = match self {
            Self::DigestFirst => 8,
            Self::KeyFirst => 8 + 764,
        };
        let sum: usize = packet[field..field + 4].iter().map(|&byte| usize::from(byte)).sum();
        field + 4 + sum % 728
    }
}

/// Puts the digest into a first packet and returns it.
pub(super) fn sign_first(packet: &mut Packet, side: Side, scheme: Scheme) -> Code {
    let place = scheme.place(packet);
    let code = first_code(packet, side, place);
    packet[place..place + DIGEST_BYTES].copy_from_slice(&code);
    code
}

/// The scheme and digest of a first packet that `side` signed; `None` if there is no right one.
pub(super) fn find_first(packet: &Packet, side: Side) -> Option<(Scheme, Code)> {
    if packet[4..8] == [0; 4] {
        return None;
    }
    [Scheme::DigestFirst, Scheme::KeyFirst].into_iter().find_map(|scheme| {
        let place = scheme.place(packet);
        let code = first_code(packet, side, place);
        // The key is public, so nothing is lost by a comparison that takes varying time.
        (packet[place..place + DIGEST_BYTES] == code).then_some((scheme, code))
    })
}

/// A second packet of `side` in answer to the digest of the peer's first packet.
pub(super) fn second(entropy: &[u8; 32], side: Side, peer: &Code) -> Packet {
    let mut packet = [0; PACKET_BYTES];
    let (random, signature) = packet.split_at_mut(PACKET_BYTES - DIGEST_BYTES);
    fill(entropy, Purpose::Second, random);
    let key = code(&[side.first_key(), &KEY_TAIL].concat(), &[peer]);
    signature.copy_from_slice(&code(&key, &[random]));
    packet
}

fn first_code(packet: &Packet, side: Side, place: usize) -> Code {
    code(side.first_key(), &[&packet[..place], &packet[place + DIGEST_BYTES..]])
}

fn code(key: &[u8], parts: &[&[u8]]) -> Code {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}
