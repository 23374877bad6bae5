//! Who looks on while a run goes on: who shows it, who logs it, and who may stop it.

use super::Output;
use super::stop::Stop;
use crate::account::record::{Moment, Observer};
use crate::account::times::Times;
use crate::report::hdrlog::LogWriter;
use crate::report::live::Live;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Everybody who looks on: who shows the run, who logs it, and who may stop it.
pub(super) struct Observers {
    live: Option<Live>,
    log: Option<LogWriter<BufWriter<File>>>,
    stop: Stop,
}

impl Observers {
    pub(super) fn new(output: &Output, planned: Duration, stop: Stop) -> Self {
        let live = (!output.quiet).then(|| Live::on_stderr(planned));
        Self { live, log: None, stop }
    }

    pub(super) fn log_to(&mut self, path: &Path, title: &str) -> Result<(), String> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let began_ms = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        let log = LogWriter::create(path, title, began_ms)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        self.log = Some(log);
        Ok(())
    }

    pub(super) fn finish(self) -> std::io::Result<()> {
        if let Some(live) = self.live {
            live.finish();
        }
        self.log.map_or(Ok(()), LogWriter::finish)
    }
}

impl Observer for Observers {
    fn moment(&mut self, moment: &Moment, times: &Times) {
        if let Some(live) = &mut self.live {
            live.moment(moment, times);
        }
        if let Some(log) = &mut self.log {
            log.moment(moment, times);
        }
    }

    fn phase(&mut self, what: &str) {
        if let Some(live) = &mut self.live {
            live.phase(what);
        }
    }

    fn wants_to_stop(&self) -> bool {
        self.stop.is_wanted()
    }
}
