//! A slate that plays: where it is in its film, and what is due.

use super::{Film, Slate};
use crate::moment::Moment;
use crate::stream::writer::Arrival;
use std::sync::Arc;
use std::time::Duration;

/// One showing of a slate, from its beginning on.
pub struct Show {
    slate: Arc<Slate>,
    /// When it began; with the stream's coming, if that was promised.
    began: Moment,
    /// When the present round began, since then.
    round: Duration,
    at: usize,
    /// Since when nobody watches.
    alone_since: Option<Moment>,
}

impl Show {
    /// A showing that begins now.
    pub fn new(slate: Arc<Slate>, now: Moment) -> Self {
        Self { slate, began: now, round: Duration::ZERO, at: 0, alone_since: None }
    }

    /// It begins only now.
    pub fn begin(&mut self, now: Moment) {
        *self = Self::new(Arc::clone(&self.slate), now);
    }

    /// When the next message is due.
    pub fn due(&self) -> Moment {
        let into = self.film().messages().get(self.at).map_or(0, |message| message.source_ms);
        self.began + self.round + Duration::from_millis(into.into())
    }

    /// Hands the next message over, if it is due.
    pub fn next(&mut self, now: Moment, append: impl FnOnce(&Arrival<'_>)) -> bool {
        if self.due() > now {
            return false;
        }
        let film = Arc::clone(&self.slate.film);
        if let Some(message) = film.messages().get(self.at) {
            let round_ms = self.round.as_millis() as u32; // RTMP counts modulo 2^32
            let source_ms = round_ms.wrapping_add(message.source_ms);
            append(&Arrival { source_ms, ..message.arrival() });
        }
        self.at += 1;
        if self.at >= film.messages().len() {
            self.at = film.again();
            self.round += film.round();
        }
        true
    }

    /// Whether it has played as long as it may.
    pub fn is_over(&self, now: Moment) -> bool {
        now.since(self.began) >= self.slate.max
    }

    /// Notes whether somebody watches. Returns for how long nobody has, if so.
    pub fn unwatched(&mut self, is_watched: bool, now: Moment) -> Option<Duration> {
        if is_watched {
            self.alone_since = None;
            return None;
        }
        Some(now.since(*self.alone_since.get_or_insert(now)))
    }

    fn film(&self) -> &Film {
        &self.slate.film
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Pattern;
    use bytes::BytesMut;
    use millstream_flv::{Header, TagKind, Writer};

    #[test]
    fn it_plays_in_real_time_and_begins_again_without_a_step_back() {
        let mut bytes = BytesMut::new();
        let mut writer = Writer::default();
        writer.header(Header { audio: false, video: true }, &mut bytes);
        writer.tag(TagKind::Video, 0, &[0x17, 0, 0, 0, 0, 1], &mut bytes).unwrap();
        for (time, first) in [(0, 0x17), (600, 0x27), (1200, 0x27)] {
            writer.tag(TagKind::Video, time, &[first, 1, 0, 0, 0, 5], &mut bytes).unwrap();
        }
        let slate = Slate {
            after: Duration::ZERO,
            max: Duration::from_secs(4),
            film: Arc::new(Film::parse(&bytes).unwrap()),
            pattern: "*".parse::<Pattern>().unwrap(),
        };
        let began = Moment::from_ms(5000);
        let mut show = Show::new(Arc::new(slate), began);
        let mut times = Vec::new();
        while show.next(began, |arrival| times.push(arrival.source_ms)) {}
        assert_eq!(times, [0, 0], "the header and the key frame");
        assert_eq!(show.due(), began + Duration::from_millis(600));
        while show.next(began + Duration::from_millis(3700), |arrival| {
            times.push(arrival.source_ms);
        }) {}
        assert_eq!(times, [0, 0, 600, 1200, 1800, 2400, 3000, 3600]);
        assert!(!show.is_over(began + Duration::from_millis(3999)));
        assert!(show.is_over(began + Duration::from_secs(4)));
    }
}
