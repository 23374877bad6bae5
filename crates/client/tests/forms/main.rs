//! The client in all its forms, against the server's side of `millstream-rtmp`.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod bad_servers;
mod callbacks;
mod examples;
mod floods;
mod handles;
mod in_memory;
mod reconnects;
mod secrets;
mod support;
mod tls;
