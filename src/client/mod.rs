//! The commands `publish`, `play` and `relay`: what is about files, terminals and scripts. The client itself is
//! `millstream-client`, files are those of `millstream-flv`. Signals belong to the binary, which hands a
//! flag in. Nothing here is used by the server; `relay` has one within.

mod error;
mod film;
mod monitor;
mod play;
mod publish;
mod record;
mod relay;
mod report;
mod session;
mod snapshot;
mod source;

pub use error::{ClientError, EXIT_CODES};
pub use play::play;
pub use publish::publish;
pub use relay::relay;
