//! The wire layer from outside: handshake, chunks, control messages and aggregates, each fed whole,
//! byte by byte and cut at random.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

mod aggregate;
mod chunk_dialects;
mod chunk_limits;
mod chunk_random;
mod chunk_round_trip;
mod control;
mod handshake;
mod support;
