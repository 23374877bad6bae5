//! What a run of the bare sender came to.

use rustix::time::{ClockId, clock_gettime};
use std::fmt;

/// Counters since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Totals {
    /// Bytes that sockets took.
    pub bytes_sent: u64,
    /// Sends, those included that a full socket refused.
    pub sends: u64,
    /// Bytes that came.
    pub bytes_received: u64,
    /// Reads, those included that found nothing.
    pub reads: u64,
    /// Players that were closed because the log had overtaken them.
    pub overtaken: u64,
    /// User and system time of the process, seconds.
    pub cpu_s: f64,
}

impl Totals {
    /// Enters what the process has used so far.
    pub fn with_cpu(self) -> Self {
        let used = clock_gettime(ClockId::ProcessCPUTime);
        Self { cpu_s: used.tv_sec as f64 + used.tv_nsec as f64 / 1e9, ..self }
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bytes_sent, sends, bytes_received, reads, overtaken, cpu_s } = self;
        write!(
            f,
            "{bytes_sent} bytes in {sends} sends, {bytes_received} bytes in {reads} reads, \
             {overtaken} players overtaken, {cpu_s:.2} CPU s"
        )?;
        // Whichever way most went is what the run was about.
        let (bytes, way) = if bytes_sent >= bytes_received {
            (*bytes_sent, "sent")
        } else {
            (*bytes_received, "received")
        };
        if bytes > 0 {
            write!(f, ", {:.3} CPU s/GB {way}", cpu_s * 1e9 / bytes as f64)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cost_is_that_of_the_way_most_went() {
        let sent = Totals { bytes_sent: 2_000_000_000, cpu_s: 1.0, ..Totals::default() };
        assert!(sent.to_string().ends_with("0.500 CPU s/GB sent"), "{sent}");
        let received = Totals { bytes_received: 500_000_000, bytes_sent: 1, ..sent };
        assert!(received.to_string().ends_with("2.000 CPU s/GB received"), "{received}");
        assert!(Totals::default().to_string().ends_with("0.00 CPU s"));
    }
}
