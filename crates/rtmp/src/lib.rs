//! RTMP without IO: handshake, chunks, protocol control, and sessions for both sides.
//!
//! A [`ServerConnection`](connection::ServerConnection) is one peer of a server. Give it the bytes
//! that arrive; it gives back events, and has bytes to send in its output. A
//! [`ClientConnection`](connection::ClientConnection) is the other end of the same wire. There is
//! one rule to keep: take the output after each call, for answers that nobody takes end the
//! connection ([`AnswersUnread`](session::SessionError::AnswersUnread)). And one to know: after an
//! answer that was given late, call `receive` again, if only with an empty slice.
//!
//! ```
//! use millstream_rtmp::connection::{ConnectionError, ServerConnection};
//! use millstream_rtmp::server::{ServerEvent, ServerOptions};
//!
//! /// Takes in what was read from a socket and returns what to write to it.
//! fn turn(
//!     connection: &mut ServerConnection,
//!     mut input: &[u8],
//! ) -> Result<bytes::BytesMut, ConnectionError> {
//!     while let Some(event) = connection.receive(&mut input)? {
//!         // An answer says whether the request was still open; here it always is.
//!         let _ = match event {
//!             ServerEvent::Connect(connect) => connection.accept_connect(connect.request),
//!             ServerEvent::Publish(publish) => connection.accept_publish(publish.request),
//!             ServerEvent::Media(message) => {
//!                 println!("{} bytes at {} ms", message.payload.len(), message.timestamp);
//!                 Ok(())
//!             }
//!             _ => Ok(()),
//!         };
//!     }
//!     Ok(connection.output().split())
//! }
//!
//! let entropy = [7; 32]; // from the system's random source, in earnest
//! let mut connection = ServerConnection::new(&ServerOptions::default(), entropy);
//! assert!(turn(&mut connection, &[3])?.is_empty());
//! # Ok::<(), ConnectionError>(())
//! ```
//!
//! # The layers
//!
//! Each stands alone, and takes and gives what the next one needs.
//!
//! ```text
//! bytes <-> handshake                    [`handshake`]
//! bytes <-> chunks <-> messages          [`chunk`], [`message`], [`aggregate`]
//!           messages <-> control         [`control`]
//!           messages <-> commands        [`command`], with [`values`]
//!           messages <-> events          [`server`], [`client`], with [`session`]
//! bytes <-> events: all of it together   [`connection`]
//! ```
//!
//! # Media is not looked at
//!
//! Audio and video pass from the chunk reader to the event as the same bytes, without a copy, an
//! allocation or a parser between, so that codecs of Enhanced RTMP and codecs yet to come pass as
//! well. A server that sends one stream to many players writes each message once, with
//! [`chunk::write_standalone`], and sends these bytes between two takes of each player's output.
//! Chunk streams 2 and 3 belong to the connection; 4 and up are free.
//!
//! # Hostile peers
//!
//! Nothing that arrives panics or overflows, and memory follows what has arrived, never what was
//! announced. All limits of the sessions stand in [`limits`], each with its reason; those of the
//! chunks in [`chunk::ChunkLimits`]. Errors have a stable [`name`](connection::ConnectionError::name)
//! and tell [whose fault](connection::ConnectionError::fault) they are.
//!
//! # What this crate does not do
//!
//! No sockets, no clock, no threads: deadlines, idle time and rates over time belong to whoever
//! has a clock. No TLS, no RTMPE, no tunnels over HTTP. No shared objects. It reads AMF3 behind the
//! switch of AMF0 and writes none. It does not judge names, and it knows no codecs.
#![forbid(unsafe_code)]

pub mod aggregate;
pub mod chunk;
pub mod client;
pub mod command;
pub mod connection;
pub mod control;
pub mod handshake;
pub mod limits;
pub mod message;
pub mod server;
pub mod session;
pub mod values;

/// The example of the README is compiled and run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
