//! The side-by-side comparison: the same load against millstream, the bare sender and every other
//! server that is on this machine, one after the other and in turns.
//!
//! ```text
//!   cli ─► plan: groups of (scene, subject), rounds      subject: how each server is started
//!             │                                             │
//!             ▼                                             ▼
//!          schedule ──► run: one server, one loadtest ──► measured ──► state (a line per run)
//!                                                                        │
//!                       target: the table as data ──► judge ◄────────────┘
//!                                                       └► report: terminal, Markdown, JSON, HTML
//! ```
//! It measures nothing itself: every figure is `loadtest`'s, and a run counts only if `loadtest`
//! found that each frame came, once, in order, with the right bytes.

pub mod cli;
pub mod environment;
pub mod error;
pub mod judge;
pub mod measured;
pub mod network;
pub mod plan;
pub mod process;
pub mod report;
pub mod run;
pub mod scene;
pub mod session;
pub mod state;
pub mod stats;
pub mod subject;
pub mod target;
