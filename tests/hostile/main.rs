//! Hostile peers against the real server process, one file per layer.
//!
//! Each test is one server and a stream beside it, which must arrive bit by bit while somebody else
//! misbehaves (`scene`). What is illegal must end in one closed connection and a name in the log;
//! what is merely unusual must work.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on shall panic")]

mod amf0;
mod backups;
mod chunks;
mod commands;
mod control;
mod epoll;
mod frames;
mod handshake;
mod media;
mod mutations;
mod names;
mod peer;
mod players;
mod resources;
mod scene;
mod server;
mod tcp;
mod time;
