//! An RTMP client to build on: publish and play, several streams on one connection, over any runtime,
//! blocking, by callbacks, or without IO.
//!
//! Publishing from a script, at the pace of the source:
//!
//! ```no_run
//! use millstream_client::{PublishMode, RtmpUrl, blocking};
//! use std::time::Duration;
//!
//! let url = RtmpUrl::parse("rtmp://127.0.0.1/live/cam?key=secret")?;
//! let mut connection = blocking::connect(&url, blocking::Settings::for_publishing(&url))?;
//! let stream = connection.publish(&url.name(), PublishMode::Live)?;
//! for time in (0..10_000).step_by(40) {
//!     let frame = bytes::Bytes::from_static(b"\x17\x01\0\0\0...");
//!     connection.client().video(stream, time, frame)?;
//!     // Sends, and tells what the server says within this time.
//!     connection.next(Duration::from_millis(40))?;
//! }
//! connection.end()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Playing and publishing at once, on any runtime:
//!
//! ```
//! # use futures_io::{AsyncRead, AsyncWrite};
//! use millstream_client::{Connection, Error, Options, PlayOptions, PublishMode, RtmpUrl};
//!
//! /// Copies one stream under another name. The socket is connected, and encrypted if need be.
//! async fn copy(socket: impl AsyncRead + AsyncWrite + Unpin, url: &RtmpUrl) -> Result<(), Error> {
//!     let (remote, driver) = Connection::new(socket, Options::new(url))?.split();
//!     let work = async move {
//!         let mut player = remote.play(&url.name(), PlayOptions::default()).await?;
//!         let publisher = remote.publish("copy", PublishMode::Live).await?;
//!         while let Some(event) = player.next().await? {
//!             if let Some(tag) = event.into_tag() {
//!                 // It never waits: what the uplink cannot carry is skipped, to a key frame.
//!                 publisher.tag(tag).ok();
//!             }
//!         }
//!         Ok(())
//!     };
//!     // Or spawn the driver, and go on with the handles.
//!     driver.beside(work).await
//! }
//! ```
//!
//! # The layers
//!
//! ```text
//!   handles            callbacks           scripts
//!   Remote, Publisher, Handler             |
//!   Player, Driver     |        \          |
//!        \             |         \         |
//!         Connection (async,      blocking::Connection
//!         any futures-io socket)  (std socket, time-outs, rtmps)
//!                    \            /
//!                     Client: bytes and wishes in, bytes and events out
//!                      |      \
//!       millstream-rtmp:       uplink: what waits for the socket,
//!       the protocol           and what is left out of it
//! ```
//!
//! Each layer is built on the public part of the one beneath it; take the one that fits. Whichever it is,
//! the rules are those of [`Client`]: what is asked goes out when the connection is next polled or
//! called, and nothing is heard of the server by who does not ask.
//!
//! # A way up that is too narrow
//!
//! What is published and not yet taken by the socket is bounded, by [`UplinkLimits`]. When it backs up,
//! pictures are left out up to a key frame, then old sound; headers stay current, and
//! [`UplinkStats`] counts it all. Who sends a recording rather than a live stream waits instead:
//! [`Publisher::ready`], [`Connection::flush`], [`blocking::Connection::flush`].
//!
//! # Coming back
//!
//! A connection that is lost is lost; whether and when to try again is the application's choice:
//! [`reconnecting`] asks it after each failure, [`Backoff`] is one answer, [`Error::may_pass`] says
//! whether there is hope at all.
//!
//! # Secrets
//!
//! Keys stand in queries and in names. [`RtmpUrl`] shows the query's values masked, in `Display` and
//! `Debug`, and names that are long enough to be keys; [`RtmpUrl::played`] shows these in full. Refusals and
//! statuses, which servers word as they like, are cleared of them. `Debug` of clients, connections and
//! handles shows no name, nothing that is queued and none of the bytes on their way.
//!
//! # What this crate does not do
//!
//! It brings no runtime and spawns nothing. It does not resolve names for the async form, nor set time-outs
//! there: what shall not last for ever is wrapped into the runtime's own. No RTMPE, no tunnels over HTTP.
//! It encodes and decodes nothing: frames come and go as the payloads of FLV tags.
#![forbid(unsafe_code)]
#![cfg_attr(not(feature = "blocking"), allow(rustdoc::broken_intra_doc_links))]

mod backoff;
#[cfg(feature = "blocking")]
pub mod blocking;
mod client;
mod connection;
mod error;
mod handler;
mod handles;
mod options;
mod reconnect;
mod secrets;
#[cfg(feature = "tls")]
pub mod tls;
mod uplink;
mod url;
mod waiting;

pub use backoff::Backoff;
pub use client::{Client, Event, SendError, Stop};
pub use connection::Connection;
pub use error::{Aim, Error, Refusal};
pub use handler::Handler;
pub use handles::{Driver, Player, Publisher, Remote};
pub use options::Options;
#[cfg(feature = "blocking")]
pub use reconnect::reconnecting_blocking;
pub use reconnect::{Decision, Failure, Trial, reconnecting};
pub use uplink::{Fate, UplinkLimits, UplinkStats};
pub use url::{RTMP_PORT, RTMPS_PORT, RtmpUrl, UrlError};

pub use millstream_rtmp::client::PlayOptions;
pub use millstream_rtmp::session::{PublishMode, RequestId as StreamId};

/// The examples of the README are compiled as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
