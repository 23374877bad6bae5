//! The async form for several tasks: handles to ask and to send with, and a driver that is spawned or
//! polled beside them. This file parts a connection into them; what they share stands in `state`, the lock
//! around it in `shared`; `driver` moves the bytes, `publisher` and `player` are the streams.
//!
//! ```text
//!   Publisher ─┐                       ┌─▶ socket
//!   Publisher ─┼─▶ shared: the Client ◀┤ Driver
//!   Player   ◀─┘   and events by play  └─◀ socket
//! ```

mod driver;
mod player;
mod publisher;
mod remote;
mod shared;
mod state;

pub use driver::Driver;
pub use player::Player;
pub use publisher::Publisher;
pub use remote::Remote;

use crate::connection::Connection;
use futures_io::{AsyncRead, AsyncWrite};
use shared::{Handle, Shared};
use state::State;
use std::sync::Arc;

impl<IO: AsyncRead + AsyncWrite + Unpin> Connection<IO> {
    /// Parts the connection into what asks and what drives. The driver is a future to be spawned, or to be
    /// polled [beside](Driver::beside) the application. Nobody hears any more of streams that were asked
    /// for before.
    pub fn split(self) -> (Remote, Driver<IO>) {
        let Self { client, wire, .. } = self;
        let shared = Arc::new(Shared::new(State::new(client)));
        (Remote::new(Handle::new(&shared)), Driver::new(shared, wire))
    }
}

#[cfg(test)]
mod tests;
