//! What one session has done, in numbers. Written by its thread, read by the one that reports.

use crate::stats::Counter;
use serde::Serialize;
use std::ops::AddAssign;

/// Counters of one session.
#[derive(Debug, Default)]
pub(in crate::proxy) struct Figures {
    pub(super) publishes: Counter,
    pub(super) plays: Counter,
    pub(super) refused: Counter,
    pub(super) up: Flow,
    pub(super) down: Flow,
    pub(super) left_out: Flow,
    pub(super) target_losses: Counter,
    pub(super) returns: Counter,
}

/// Messages of media and data, and the bytes of their payloads.
#[derive(Debug, Default)]
pub(super) struct Flow {
    messages: Counter,
    bytes: Counter,
}

impl Flow {
    pub(super) fn count(&self, payload: usize) {
        self.messages.add(1);
        self.bytes.add(payload as u64);
    }
}

/// The counters at one moment, or the sum of several sessions'.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Publishes that the target accepted.
    pub publishes: u64,
    /// Plays that the target accepted.
    pub plays: u64,
    /// Requests refused, by the proxy or by the target.
    pub refused: u64,
    /// Messages of audio, video and data passed on to the target.
    pub messages_up: u64,
    /// The bytes of their payloads.
    pub bytes_up: u64,
    /// Messages of audio, video and data passed on to players.
    pub messages_down: u64,
    /// The bytes of their payloads.
    pub bytes_down: u64,
    /// Messages of publishers that no target was there for.
    pub messages_left_out: u64,
    /// The bytes of their payloads.
    pub bytes_left_out: u64,
    /// Connections to the target that were lost, or could not be made.
    pub target_losses: u64,
    /// Publishes and plays that went on after such a loss.
    pub returns: u64,
}

impl Figures {
    pub(in crate::proxy) fn totals(&self) -> Totals {
        Totals {
            publishes: self.publishes.get(),
            plays: self.plays.get(),
            refused: self.refused.get(),
            messages_up: self.up.messages.get(),
            bytes_up: self.up.bytes.get(),
            messages_down: self.down.messages.get(),
            bytes_down: self.down.bytes.get(),
            messages_left_out: self.left_out.messages.get(),
            bytes_left_out: self.left_out.bytes.get(),
            target_losses: self.target_losses.get(),
            returns: self.returns.get(),
        }
    }
}

impl AddAssign for Totals {
    fn add_assign(&mut self, other: Self) {
        self.publishes += other.publishes;
        self.plays += other.plays;
        self.refused += other.refused;
        self.messages_up += other.messages_up;
        self.bytes_up += other.bytes_up;
        self.messages_down += other.messages_down;
        self.bytes_down += other.bytes_down;
        self.messages_left_out += other.messages_left_out;
        self.bytes_left_out += other.bytes_left_out;
        self.target_losses += other.target_losses;
        self.returns += other.returns;
    }
}
