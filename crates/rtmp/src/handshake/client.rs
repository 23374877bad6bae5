//! The client's side of the handshake. What packets contain stands in `packet` and `digest`.
//!
//! ```text
//! Unsent --/ C0 C1--> Version --S0--> First --S1 / C2--> Second --S2--> Done
//! ```

use bytes::{BufMut, BytesMut};

use super::digest::{self, Scheme, Side};
use super::packet::{Incoming, PACKET_BYTES, Packet, Purpose, Skipped, fill, take_version};
use super::{HandshakeError, Progress, VERSION, check_version};

/// What C1 says in its version field when it is signed: a Flash Player that knew the digest, and
/// the one that FFmpeg claims to be.
const SIGNED_VERSION: [u8; 4] = [9, 0, 124, 2];

/// How a client opens a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// As the specification has it. Understood by every server known.
    Simple,
    /// Signed, as Flash Player does since version 9; some servers ask for it before they send H.264
    /// or AAC. If the server's answer is not signed, the client goes on as in `Simple`.
    Digest,
}

/// Opens a connection as a client.
#[derive(Debug)]
pub struct ClientHandshake {
    entropy: [u8; 32],
    style: Style,
    state: State,
}

#[derive(Debug)]
enum State {
    Unsent,
    Version,
    First(Incoming),
    Second(Skipped),
    Done,
}

impl ClientHandshake {
    /// A client that has sent nothing yet. The random fields are expanded from `entropy`, which
    /// should differ from connection to connection.
    pub fn new(entropy: [u8; 32], style: Style) -> Self {
        Self { entropy, style, state: State::Unsent }
    }

    /// Appends C0 and C1, 1537 bytes, to `out`; nothing if that was done.
    pub fn start(&mut self, out: &mut BytesMut) {
        if !matches!(self.state, State::Unsent) {
            return;
        }
        let mut c1 = [0; PACKET_BYTES];
        fill(&self.entropy, Purpose::First, &mut c1[8..]);
        if self.style == Style::Digest {
            c1[4..8].copy_from_slice(&SIGNED_VERSION);
            digest::sign_first(&mut c1, Side::Client, Scheme::DigestFirst);
        }
        out.reserve(1 + PACKET_BYTES);
        out.put_u8(VERSION);
        out.put_slice(&c1);
        self.state = State::Version;
    }

    /// Takes handshake bytes from the front of `input` and appends what is to be sent to `out`.
    ///
    /// Bytes after S2 stay in `input`. C2 is appended when S1 is whole. If the client was not
    /// started, it is now.
    ///
    /// # Errors
    ///
    /// If the server's version is not 3. The byte stays in `input`.
    pub fn receive(
        &mut self,
        input: &mut &[u8],
        out: &mut BytesMut,
    ) -> Result<Progress, HandshakeError> {
        self.start(out);
        loop {
            self.state = match &mut self.state {
                State::Unsent | State::Version => match take_version(input, check_version)? {
                    true => State::First(Incoming::default()),
                    false => return Ok(Progress::NeedMore),
                },
                State::First(incoming) => match incoming.take(input) {
                    Some(s1) => {
                        out.put_slice(&self.answer(&s1));
                        State::Second(Skipped::new())
                    }
                    None => return Ok(Progress::NeedMore),
                },
                State::Second(skipped) => match skipped.take(input) {
                    true => State::Done,
                    false => return Ok(Progress::NeedMore),
                },
                State::Done => return Ok(Progress::Done),
            };
        }
    }

    /// C2: signed if S1 is and we asked for it, otherwise an echo.
    fn answer(&self, s1: &Packet) -> Packet {
        let signed = match self.style {
            Style::Simple => None,
            Style::Digest => digest::find_first(s1, Side::Server),
        };
        match signed {
            Some((_, code)) => digest::second(&self.entropy, Side::Client, &code),
            None => *s1,
        }
    }
}
