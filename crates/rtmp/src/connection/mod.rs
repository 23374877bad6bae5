//! Sessions on bytes: handshake, chunks, windows, acknowledgements and a session put together.
//!
//! Give `receive` the bytes that arrived; it takes them from the front of the slice and returns
//! at each event, or with nothing when the slice is used up. Send what stands in `output`, and
//! empty it. After the handshake, `output` holds whole messages only, so that a caller may put
//! whole messages of its own between two takes.
//!
//! After an answer that was not given at once, call `receive` again, if only with an empty slice:
//! what the peer sent meanwhile is released as events.
//!
//! What commands mean does not belong here: see `server` and `client`.

mod client;
mod client_actions;
mod error;
mod flow;
mod link;
mod server;
mod server_answers;

pub use client::ClientConnection;
pub use error::{ConnectionError, ConnectionErrorKind};
pub use server::ServerConnection;
