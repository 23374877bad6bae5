//! One pinned thread: runtime, inbox, wake, timers.

pub mod mailbox;
