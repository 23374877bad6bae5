//! The figures of a running proxy, for people and for programs. Counting is done in `session`.

use super::session::{Figures, Totals};
use serde::Serialize;
use std::collections::HashMap;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often totals are shown.
const EVERY: Duration = Duration::from_secs(1);

/// What is shown, and where.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A summary at the end.
    Summary,
    /// A line each second, too, on standard error.
    Lines,
    /// JSON objects on standard output: each second, for each session that ends, and at the end.
    Json,
}

/// The sessions, and the sum of those that have ended.
pub(super) struct Report {
    form: Form,
    live: HashMap<u64, Arc<Figures>>,
    ended: Totals,
    sessions: u64,
    began: Instant,
    last: Instant,
    last_bytes: (u64, u64),
    unread: bool,
}

/// A session that has ended.
pub(super) struct Ended {
    pub(super) session: u64,
    pub(super) peer: SocketAddr,
    pub(super) reason: &'static str,
    pub(super) lasted: Duration,
}

#[derive(Serialize)]
#[serde(tag = "what", rename_all = "lowercase")]
enum Object {
    /// The whole proxy, now or (`ended`) at its end.
    Totals {
        seconds: f64,
        ended: bool,
        /// Open now, and all that there were.
        open: u64,
        sessions: u64,
        #[serde(flatten)]
        totals: Totals,
    },
    /// One session, at its end.
    Session {
        session: u64,
        peer: SocketAddr,
        reason: &'static str,
        seconds: f64,
        #[serde(flatten)]
        totals: Totals,
    },
}

impl Report {
    pub(super) fn new(form: Form) -> Self {
        let now = Instant::now();
        Self {
            form,
            live: HashMap::new(),
            ended: Totals::default(),
            sessions: 0,
            began: now,
            last: now,
            last_bytes: (0, 0),
            unread: false,
        }
    }

    pub(super) fn begin(&mut self, session: u64, figures: Arc<Figures>) {
        self.sessions += 1;
        self.live.insert(session, figures);
    }

    pub(super) fn end(&mut self, ended: Ended) {
        let Some(figures) = self.live.remove(&ended.session) else { return };
        let totals = figures.totals();
        self.ended += totals;
        let Ended { session, peer, reason, lasted } = ended;
        let seconds = lasted.as_secs_f64();
        tracing::info!(
            session, %peer, reason, seconds, up = totals.bytes_up, down = totals.bytes_down,
            left_out = totals.bytes_left_out, "session ended"
        );
        if self.form == Form::Json {
            self.write(&Object::Session { session, peer, reason, seconds, totals });
        }
    }

    /// Shows the totals, if it is time.
    pub(super) fn show(&mut self) {
        let span = self.last.elapsed();
        if span < EVERY || self.form == Form::Summary {
            return;
        }
        self.last = Instant::now();
        let totals = self.totals();
        if self.form == Form::Json {
            return self.write(&self.object(totals, false));
        }
        let (up, down) = (totals.bytes_up, totals.bytes_down);
        let rate =
            |now: u64, before: u64| (now.saturating_sub(before)) as f64 * 8e-6 / span.as_secs_f64();
        let rates = (rate(up, self.last_bytes.0), rate(down, self.last_bytes.1));
        self.last_bytes = (up, down);
        // Figures that cannot be shown are no reason to end anything.
        let _ = writeln!(
            io::stderr(),
            "{} sessions, {:.2} Mbit/s up, {:.2} Mbit/s down; {}",
            self.live.len(),
            rates.0,
            rates.1,
            words(&totals)
        );
    }

    /// Shows what there was in all.
    pub(super) fn finish(&mut self) {
        let totals = self.totals();
        match self.form {
            Form::Json => self.write(&self.object(totals, true)),
            Form::Summary | Form::Lines => {
                let _ = writeln!(
                    io::stderr(),
                    "proxied {} sessions in {:.1} s: {}",
                    self.sessions,
                    self.began.elapsed().as_secs_f64(),
                    words(&totals)
                );
            }
        }
    }

    /// Whether the program that read our objects has gone: it has had enough, and so have we.
    pub(super) fn is_unread(&self) -> bool {
        self.unread
    }

    fn totals(&self) -> Totals {
        let mut totals = self.ended;
        self.live.values().for_each(|figures| totals += figures.totals());
        totals
    }

    fn object(&self, totals: Totals, ended: bool) -> Object {
        Object::Totals {
            seconds: self.began.elapsed().as_secs_f64(),
            ended,
            open: self.live.len() as u64,
            sessions: self.sessions,
            totals,
        }
    }

    fn write(&mut self, object: &Object) {
        let text = serde_json::to_string(object)
            .expect("a struct of numbers and texts has a form in JSON");
        let mut out = io::stdout();
        let written = writeln!(out, "{text}").and_then(|()| out.flush());
        self.unread |= written.is_err_and(|error| error.kind() == io::ErrorKind::BrokenPipe);
    }
}

fn words(totals: &Totals) -> String {
    let Totals { publishes, plays, refused, .. } = totals;
    let mut text = format!(
        "{publishes} published, {plays} played, {refused} refused, {} bytes up, {} down",
        totals.bytes_up, totals.bytes_down
    );
    if totals.target_losses > 0 {
        text.push_str(&format!(
            ", target lost {} times, {} returns, {} messages left out",
            totals.target_losses, totals.returns, totals.messages_left_out
        ));
    }
    text
}
