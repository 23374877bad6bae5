//! The commands `publish` and `play`: a client on one blocking socket, for people at a terminal.
//!
//! The protocol is that of `millstream-rtmp`, files are those of `millstream-flv`; here stands what
//! connects them to a socket, a clock and a screen. Signals belong to the binary, which hands a
//! flag in. Nothing here is used by the server.

mod error;
mod film;
mod link;
mod play;
mod progress;
mod publish;
mod record;
mod url;

pub use error::ClientError;
pub use play::play;
pub use publish::publish;
pub use url::{RtmpUrl, UrlError};
