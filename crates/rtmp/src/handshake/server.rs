//! The server's side of the handshake. What packets contain stands in `packet` and `digest`.
//!
//! ```text
//! Version --C0--> First --C1 / S0 S1 S2--> Second --C2--> Done
//! ```

use bytes::{BufMut, BytesMut};

use super::digest::{self, Side};
use super::packet::{Incoming, PACKET_BYTES, Packet, Purpose, Skipped, fill, take_version};
use super::{HandshakeError, Progress, VERSION, check_version};

/// What S1 says in its version field when it is signed; zero would mean that it is not. Adobe Media
/// Server 4.5 said so.
const SIGNED_VERSION: [u8; 4] = [4, 5, 0, 1];

/// Opens a connection as a server, simple or with digest as the client likes.
#[derive(Debug)]
pub struct ServerHandshake {
    entropy: [u8; 32],
    state: State,
}

#[derive(Debug)]
enum State {
    Version,
    First(Incoming),
    Second(Skipped),
    Done,
}

impl ServerHandshake {
    /// A server that waits for C0. The random fields are expanded from `entropy`, which should
    /// differ from connection to connection.
    pub fn new(entropy: [u8; 32]) -> Self {
        Self { entropy, state: State::Version }
    }

    /// Takes handshake bytes from the front of `input` and appends what is to be sent to `out`.
    ///
    /// Bytes after C2 stay in `input`. Nothing is appended before C1 is whole; then S0, S1 and S2
    /// are, 3073 bytes. Until then the machine holds what has arrived of C1, otherwise nothing.
    ///
    /// # Errors
    ///
    /// If the version is not 3. The byte stays in `input`.
    pub fn receive(
        &mut self,
        input: &mut &[u8],
        out: &mut BytesMut,
    ) -> Result<Progress, HandshakeError> {
        loop {
            self.state = match &mut self.state {
                State::Version => match take_version(input, check_version)? {
                    true => State::First(Incoming::default()),
                    false => return Ok(Progress::NeedMore),
                },
                State::First(incoming) => match incoming.take(input) {
                    Some(first) => {
                        self.answer(&first, out);
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

    /// Appends S0, S1 and S2.
    fn answer(&self, c1: &Packet, out: &mut BytesMut) {
        let mut s1 = [0; PACKET_BYTES];
        fill(&self.entropy, Purpose::First, &mut s1[8..]);
        let s2 = match digest::find_first(c1, Side::Client) {
            Some((scheme, code)) => {
                s1[4..8].copy_from_slice(&SIGNED_VERSION);
                digest::sign_first(&mut s1, Side::Server, scheme);
                digest::second(&self.entropy, Side::Server, &code)
            }
            // An exact echo, its second time field too, for clients that compare the whole packet.
            None => *c1,
        };
        out.reserve(1 + 2 * PACKET_BYTES);
        out.put_u8(VERSION);
        out.put_slice(&s1);
        out.put_slice(&s2);
    }
}
