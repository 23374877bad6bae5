//! Acknowledgements and windows, both ways (RTMP 1.0, sections 5.4.3 to 5.4.5).
//!
//! Answers are not written when they fall due but gathered, and taken once per `receive`: a flood
//! of requests within one read costs one answer.

use crate::control::{BandwidthLimit, Control};
use crate::limits::ACKNOWLEDGEMENT_WINDOW_MIN;

/// What one side owes the other.
#[derive(Debug)]
pub(super) struct Flow {
    /// Bytes received, handshake included.
    received: u64,
    /// `received` at the last acknowledgement.
    acknowledged: u64,
    /// Bytes between two acknowledgements that the peer wants.
    window: u32,
    /// The window announced to the peer last.
    announced: u32,
    /// A window to announce because the peer limits us.
    owed_window: Option<u32>,
    last_limit_was_hard: bool,
}

impl Flow {
    pub(super) fn new(window: u32) -> Self {
        Self {
            received: 0,
            acknowledged: 0,
            window: window.max(ACKNOWLEDGEMENT_WINDOW_MIN),
            announced: window,
            owed_window: None,
            last_limit_was_hard: false,
        }
    }

    pub(super) fn count(&mut self, bytes: usize) {
        self.received += bytes as u64;
    }

    pub(super) fn received(&self) -> u64 {
        self.received
    }

    /// The peer names its window. Windows of 0 and 1 would make us acknowledge each byte.
    pub(super) fn set_window(&mut self, bytes: u32) {
        self.window = bytes.max(ACKNOWLEDGEMENT_WINDOW_MIN);
    }

    /// The peer limits what we send; it is told our window where that differs (5.4.5).
    pub(super) fn limit(&mut self, size: u32, limit: BandwidthLimit) {
        let window = match limit {
            BandwidthLimit::Hard => size,
            BandwidthLimit::Soft => size.min(self.announced),
            BandwidthLimit::Dynamic if self.last_limit_was_hard => size,
            _ => return,
        };
        self.last_limit_was_hard = limit == BandwidthLimit::Hard;
        self.owed_window = (window != self.announced).then_some(window);
    }

    /// What is due now.
    pub(super) fn take_due(&mut self) -> impl Iterator<Item = Control> + use<> {
        let window = self.owed_window.take();
        self.announced = window.unwrap_or(self.announced);
        let due = self.received - self.acknowledged >= u64::from(self.window);
        if due {
            self.acknowledged = self.received;
        }
        let acknowledgement = due.then_some(Control::Acknowledgement(self.received as u32));
        window.map(Control::WindowAckSize).into_iter().chain(acknowledgement)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(flow: &mut Flow) -> Vec<Control> {
        flow.take_due().collect()
    }

    #[test]
    fn bytes_are_acknowledged_once_per_window() {
        let mut flow = Flow::new(10_000);
        flow.count(9_999);
        assert_eq!(due(&mut flow), []);
        flow.count(1);
        assert_eq!(due(&mut flow), [Control::Acknowledgement(10_000)]);
        assert_eq!(due(&mut flow), []);
        flow.count(50_000);
        assert_eq!(due(&mut flow), [Control::Acknowledgement(60_000)]);
    }

    #[test]
    fn the_sequence_number_wraps() {
        let mut flow = Flow::new(10_000);
        flow.count(u32::MAX as usize);
        due(&mut flow);
        flow.count(10_001);
        assert_eq!(due(&mut flow), [Control::Acknowledgement(10_000)]);
    }

    #[test]
    fn windows_of_0_and_1_do_not_make_a_storm() {
        for window in [0, 1] {
            let mut flow = Flow::new(5_000_000);
            flow.set_window(window);
            let mut answers = 0;
            for _ in 0..10_000 {
                flow.count(1);
                answers += due(&mut flow).len();
            }
            assert_eq!(answers, 1);
        }
    }

    #[test]
    fn a_flood_of_limits_gets_one_answer() {
        let mut flow = Flow::new(5_000_000);
        for size in 0..1_000 {
            flow.limit(size, BandwidthLimit::Hard);
        }
        assert_eq!(due(&mut flow), [Control::WindowAckSize(999)]);
        flow.limit(999, BandwidthLimit::Hard);
        flow.limit(2_000, BandwidthLimit::Soft);
        assert_eq!(due(&mut flow), []);
        flow.limit(7, BandwidthLimit::Dynamic);
        assert_eq!(due(&mut flow), []);
        flow.limit(500, BandwidthLimit::Hard);
        flow.limit(400, BandwidthLimit::Dynamic);
        assert_eq!(due(&mut flow), [Control::WindowAckSize(400)]);
    }
}
