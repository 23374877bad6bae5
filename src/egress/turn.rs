//! One reader's turn: what it is sent now, and where it goes on.
//!
//! Here stands the policy towards a single reader: joining, stepping over the ends of segments,
//! skipping when it is behind, losing its place when the ring overtakes it. Which reader's turn it
//! is stands in `fanout`.
//!
//! ```text
//!             join point                     generation or end follows
//!   Waiting -------------> Reading ---------------------------------> Waiting
//!      ^                    |  ^ skip: to a newer key frame
//!      |  the ring overtook |  |
//!      +--------------------+--+
//! ```

use super::outlet::{Flow, Loss, Outlet, OutletId, Reader, STALE_HEADERS, Sink, Standing};
use super::place::{
    ended, find_place, hear_of_absence, join_point, passes_end, place_early, stop_at_end,
};
use crate::config::Lag;
use crate::limits;
use crate::moment::Moment;
use crate::planted::{self, Bug};
use crate::stream::log::Framing;
use crate::stream::segment::{Kind, Opening};
use crate::stream::view::{Cursor, JoinPoint, Presence, View};
use bytes::BytesMut;
use std::time::Duration;

/// Something that a connection must hear of, or that must be done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// It was sent its first frame.
    Joined,
    /// Its socket is full: call `writable` when it is no longer.
    Parked,
    /// It was too far behind, or came into a new generation before its key frame, and lost frames.
    /// It goes on.
    Skipped {
        /// Frames lost.
        frames: u64,
        /// Bytes of those.
        bytes: u64,
    },
    /// The stream was unpublished.
    Ended,
    /// The stream is published again, after an end.
    Restarted,
    /// It is to be hung up.
    HangUp(HangUp),
}

/// Why a viewer is hung up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HangUp {
    /// The socket failed.
    Broken,
    /// It took nothing, or stayed behind, for too long.
    Lagging,
    /// It skipped too often: it cannot carry the stream.
    Skipping,
    /// Too much was waiting for it alone.
    PrivateBytes,
    /// Nobody published what it waited for.
    NoStream,
}

impl HangUp {
    /// A stable name for logs and counters.
    pub fn name(self) -> &'static str {
        match self {
            Self::Broken => "broken",
            Self::Lagging => "lagging",
            Self::Skipping => "skipping",
            Self::PrivateBytes => "private-bytes",
            Self::NoStream => "no-stream",
        }
    }
}

/// What a view is to its readers' turns.
pub struct Scene<'a> {
    /// The shard's view of the log.
    pub view: &'a View,
    /// How headers are written for a joiner.
    pub framing: &'a dyn Framing,
    /// What happens to viewers that fall behind.
    pub lag: &'a Lag,
}

/// Serves one outlet. Returns true if it is due again in this pass.
pub fn serve(
    outlet: &mut Outlet,
    id: OutletId,
    scene: Option<&Scene<'_>>,
    sink: &mut impl Sink,
    now: Moment,
    notices: &mut Vec<(OutletId, Notice)>,
) -> bool {
    if outlet.parked || outlet.closed {
        return false;
    }
    if std::mem::take(&mut outlet.idle) {
        // It did not stand still: there was nothing to send.
        outlet.last_progress = now;
    }
    loop {
        let view = scene.map(|scene| scene.view);
        let mut flow = outlet.send_private(id, view, sink, now);
        if flow == Flow::Drained {
            let (Some(reader), Some(scene)) = (outlet.reader.as_mut(), scene) else {
                outlet.idle = true;
                return false;
            };
            if reader.halted {
                outlet.idle = true;
                return false;
            }
            match reader.standing {
                Standing::Paused => {
                    // Whoever pauses joins anew afterwards, from here on.
                    if find_place(reader, scene.view).is_found() {
                        hear_of_absence(outlet, id, scene.view, now, notices);
                    }
                    outlet.idle = true;
                    return false;
                }
                Standing::Waiting => {
                    if join(outlet, id, scene, now, notices) {
                        continue;
                    }
                    outlet.idle = true;
                    return false;
                }
                Standing::Reading => {
                    if is_behind(reader, scene, now) && skip(outlet, id, scene, now, notices) {
                        continue;
                    }
                    if outlet.closed {
                        return false;
                    }
                    flow = outlet.send_log(id, scene.view, sink, now);
                }
            }
        }
        match flow {
            Flow::SegmentEnd => {
                if !step(outlet, id, scene.map(|scene| scene.view), now, notices) {
                    caught_up(outlet);
                    return false;
                }
            }
            Flow::Drained => {
                caught_up(outlet);
                return false;
            }
            Flow::More => return true,
            Flow::Full => {
                note_stall(outlet, scene.map(|scene| scene.view), now);
                notices.push((id, Notice::Parked));
                return false;
            }
            Flow::Broken => {
                hang_up(outlet, id, HangUp::Broken, notices);
                return false;
            }
        }
    }
}

/// Closes an outlet to further sends and says so.
pub fn hang_up(
    outlet: &mut Outlet,
    id: OutletId,
    why: HangUp,
    notices: &mut Vec<(OutletId, Notice)>,
) {
    if !outlet.closed {
        outlet.closed = true;
        notices.push((id, Notice::HangUp(why)));
    }
}

/// Whether a reader's lag is past what is tolerated, looked at now and then.
pub fn is_lost(outlet: &Outlet, view: Option<&View>, lag: &Lag, now: Moment) -> bool {
    if !outlet.parked {
        return false;
    }
    let stuck = now.since(outlet.last_progress) >= lag.hang_up;
    let behind = outlet.reader.as_ref().zip(view).and_then(|(reader, view)| {
        let from_ms = reader.stalled_at_ms?;
        Some(lag_of(reader, from_ms, view, now))
    });
    stuck || behind.is_some_and(|behind| behind >= lag.hang_up)
}

/// How far behind a reader is whose next message is of this time. An encoder that catches up sends
/// seconds of media in a moment: nobody is further behind than the time since he kept up.
fn lag_of(reader: &Reader, next_ms: u64, view: &View, now: Moment) -> Duration {
    let media = Duration::from_millis(view.edge().timestamp.saturating_sub(next_ms));
    media.min(reader.behind_since.map_or(Duration::ZERO, |since| now.since(since)))
}

/// Moves a reader out of segments that leave the ring: the rest of its message and the data
/// messages it has not had go to its private bytes, frames are lost.
pub fn relocate(
    outlet: &mut Outlet,
    id: OutletId,
    scene: &Scene<'_>,
    notices: &mut Vec<(OutletId, Notice)>,
) {
    let first = scene.view.first_retained();
    let Some(reader) = outlet.reader.as_mut() else { return };
    place_early(reader, scene.view);
    if let Some(resume) = reader.past.resume {
        // It has not stood anywhere in this log yet; what it had of the other one it has.
        reader.cursor = scene.view.after(resume.after);
    }
    if reader.cursor.segment >= first {
        return;
    }
    finish_privately(reader, &mut outlet.private, scene.view);
    let target = Cursor { segment: first, offset: 0 };
    let marks = (reader.cursor.segment + 1..=first).any(|number| {
        let segment = scene.view.segment(number);
        segment.is_some_and(|segment| segment.preface.opening != Opening::Continues)
    });
    let lost_before = outlet.stats.frames_dropped;
    leave_behind(outlet, scene.view, target);
    let lost = outlet.stats.frames_dropped > lost_before;
    let Some(reader) = outlet.reader.as_mut() else { return };
    if let Some(resume) = reader.past.resume.take() {
        reader.past.floor = Some(resume.after);
    }
    // Who had everything that leaves reads on, unless something else begins there.
    let needs_headers = reader.headers == Some(STALE_HEADERS);
    if reader.standing == Standing::Reading && (lost || marks || needs_headers) {
        reader.standing = Standing::Waiting;
        reader.overtaken |= lost;
    }
    check_private(outlet, id, notices);
}

/// Moves the rest of a message begun into the private bytes, ahead of what stands there.
pub fn finish_privately(reader: &mut Reader, private: &mut BytesMut, view: &View) {
    if reader.owed > 0 {
        let rest = &view.due(reader.cursor)[..reader.owed as usize];
        let mut joined = BytesMut::with_capacity(rest.len() + private.len());
        if !planted::is(Bug::CutMessage) {
            joined.extend_from_slice(rest);
        }
        joined.extend_from_slice(private);
        *private = joined;
        reader.cursor.offset += reader.owed;
        reader.owed = 0;
    }
}

/// Hangs an outlet up if too much waits for it alone.
pub fn check_private(outlet: &mut Outlet, id: OutletId, notices: &mut Vec<(OutletId, Notice)>) {
    if outlet.private.len() > limits::PRIVATE_BYTES_MAX {
        hang_up(outlet, id, HangUp::PrivateBytes, notices);
    }
}

fn caught_up(outlet: &mut Outlet) {
    outlet.idle = true;
    if let Some(reader) = outlet.reader.as_mut() {
        reader.stalled_at_ms = None;
        reader.behind_since = None;
        reader.catching_up = false;
    }
}

fn note_stall(outlet: &mut Outlet, view: Option<&View>, now: Moment) {
    let (Some(reader), Some(view)) = (outlet.reader.as_mut(), view) else { return };
    if reader.standing == Standing::Reading
        && let Some(entry) = view.entry_at(reader.cursor)
    {
        reader.stalled_at_ms = Some(entry.timestamp);
        reader.behind_since.get_or_insert(now);
    }
}

/// Lets a waiting reader begin, if there is a place. Returns whether there is anything more to do
/// in this turn.
fn join(
    outlet: &mut Outlet,
    id: OutletId,
    scene: &Scene<'_>,
    now: Moment,
    notices: &mut Vec<(OutletId, Notice)>,
) -> bool {
    let view = scene.view;
    let Some(reader) = outlet.reader.as_mut() else { return false };
    let place = find_place(reader, view);
    if !place.is_found() {
        return false;
    }
    if view.presence() == Presence::Absent && place.reads_on().is_none() {
        hear_of_absence(outlet, id, view, now, notices);
        // Data messages that it had not been sent go out in this turn.
        return !outlet.closed && !outlet.private.is_empty();
    }
    let Some(point) = place.reads_on().or_else(|| join_point(reader, scene)) else { return false };
    if reader.passed_end || passes_end(view, reader.cursor, point.at) {
        stop_at_end(outlet, id, view, point.at, now, notices);
        return true;
    }
    if std::mem::take(&mut reader.told_end) {
        reader.halted = true;
        notices.push((id, Notice::Restarted));
        return true;
    }
    // A reader that the ring overtook has skipped, as much as one that was taken ahead.
    if std::mem::take(&mut reader.overtaken) {
        if is_skipping(reader, scene.lag, now) {
            hang_up(outlet, id, HangUp::Skipping, notices);
            return false;
        }
        outlet.stats.skips += 1;
    }
    let first = !reader.has_read;
    go_to(outlet, scene, point);
    announce(outlet, id, notices);
    check_private(outlet, id, notices);
    if first {
        notices.push((id, Notice::Joined));
    }
    !outlet.closed
}

/// Notes a skip. Returns whether there have been too many of late.
fn is_skipping(reader: &mut Reader, lag: &Lag, now: Moment) -> bool {
    reader.past.skips.retain(|skip| now.since(*skip) < limits::SKIPS_SPAN);
    reader.past.skips.push(now);
    reader.past.skips.len() >= lag.skips_per_minute as usize
}

/// Tells a reader what it has lost, once it goes on.
fn announce(outlet: &mut Outlet, id: OutletId, notices: &mut Vec<(OutletId, Notice)>) {
    let Some(reader) = outlet.reader.as_mut() else { return };
    let Loss { frames, bytes } = std::mem::take(&mut reader.past.unannounced);
    if frames > 0 {
        notices.push((id, Notice::Skipped { frames, bytes }));
    }
}

/// Whether a reader that could not take everything is so far behind that it should skip.
fn is_behind(reader: &Reader, scene: &Scene<'_>, now: Moment) -> bool {
    let view = scene.view;
    if reader.stalled_at_ms.is_none() {
        return false;
    }
    let Some(next) = view.entry_at(reader.cursor) else { return false };
    let behind = lag_of(reader, next.timestamp, view, now);
    // `next` may itself be the key frame that begins its group, so two groups are two more.
    let gops = view.edge().gop.wrapping_sub(next.gop);
    behind >= scene.lag.skip || (gops >= limits::LAG_SKIP_GOPS && behind * 2 >= scene.lag.skip)
}

/// Takes a reader that is behind to the newest key frame. Returns false if there is none ahead.
fn skip(
    outlet: &mut Outlet,
    id: OutletId,
    scene: &Scene<'_>,
    now: Moment,
    notices: &mut Vec<(OutletId, Notice)>,
) -> bool {
    let Some(reader) = outlet.reader.as_mut() else { return false };
    let Some(point) = scene.view.join_point().filter(|point| point.at > reader.cursor) else {
        return false;
    };
    let point = match planted::is(Bug::SkipToNonKey) {
        true => JoinPoint { at: scene.view.end(), ..point },
        false => point,
    };
    if is_skipping(reader, scene.lag, now) {
        hang_up(outlet, id, HangUp::Skipping, notices);
        return false;
    }
    outlet.stats.skips += 1;
    if passes_end(scene.view, reader.cursor, point.at) {
        stop_at_end(outlet, id, scene.view, point.at, now, notices);
        return true;
    }
    go_to(outlet, scene, point);
    announce(outlet, id, notices);
    check_private(outlet, id, notices);
    true
}

/// Takes a reader at a message boundary to a place further on: the data messages in between and
/// the headers valid there go ahead.
fn go_to(outlet: &mut Outlet, scene: &Scene<'_>, point: JoinPoint) {
    leave_behind(outlet, scene.view, point.at);
    let Some(reader) = outlet.reader.as_mut() else { return };
    reader.standing = Standing::Reading;
    reader.has_read = true;
    reader.stalled_at_ms = None;
    reader.behind_since = None;
    reader.catching_up = true;
    let Some(segment) = scene.view.segment(point.at.segment) else { return };
    let epoch = segment.preface.epoch();
    let forgets = planted::is(Bug::ForgetHeaders) && reader.headers.is_some();
    if reader.headers != Some(epoch) && !forgets {
        reader.headers = Some(epoch);
        let mut wire = Vec::new();
        for (slot, payload) in segment.preface.headers.iter() {
            if scene.framing.takes(slot.carrier.kind()) {
                scene.framing.frame(slot.carrier, point.timestamp, payload, &mut wire);
            }
        }
        outlet.private.extend_from_slice(&wire);
    }
}

/// Moves the cursor on without sending: data messages are kept, frames are counted as dropped
/// unless the reader has no headers for them, and an end on the way is remembered.
pub fn leave_behind(outlet: &mut Outlet, view: &View, target: Cursor) {
    let Some(reader) = outlet.reader.as_mut() else { return };
    debug_assert_eq!(reader.owed, 0, "a reader moves at message boundaries only");
    reader.passed_end |= passes_end(view, reader.cursor, target);
    for (entry, message) in view.messages(reader.cursor, target) {
        if entry.kind == Kind::Data && !planted::is(Bug::DropData) {
            outlet.private.extend_from_slice(message);
        } else if entry.kind.is_frame() && reader.headers.is_some() {
            outlet.stats.frames_dropped += 1;
            outlet.stats.bytes_dropped += message.len() as u64;
            reader.past.unannounced.frames += 1;
            reader.past.unannounced.bytes += message.len() as u64;
        } else if matches!(entry.kind, Kind::VideoHeader | Kind::AudioHeader) {
            // Standing before it, the reader counts as having the headers of this segment.
            reader.headers = reader.headers.map(|_| STALE_HEADERS);
        }
    }
    reader.cursor = target;
}

/// Steps over the end of a closed segment. Returns false if there is nothing to go on with.
fn step(
    outlet: &mut Outlet,
    id: OutletId,
    view: Option<&View>,
    now: Moment,
    notices: &mut Vec<(OutletId, Notice)>,
) -> bool {
    let (Some(reader), Some(view)) = (outlet.reader.as_mut(), view) else { return false };
    let Some(next) = view.segment(reader.cursor.segment + 1) else { return false };
    reader.cursor = Cursor { segment: next.preface.number, offset: 0 };
    match next.preface.opening {
        // Headers that changed open the segment in band.
        Opening::Continues => {
            reader.headers = Some(next.preface.epoch());
        }
        Opening::Generation => {
            reader.standing = Standing::Waiting;
            // It has had all of the generation before.
            reader.stalled_at_ms = None;
            reader.behind_since = None;
        }
        Opening::Ended => {
            reader.standing = Standing::Waiting;
            ended(reader, id, now, notices);
        }
    }
    true
}
