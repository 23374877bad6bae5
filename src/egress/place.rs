//! Where a reader goes on that does not simply read on: a joiner, one that comes from another log
//! of its stream, one that the end of the stream concerns. When it looks for its place stands in
//! `turn`.

use super::outlet::{Outlet, OutletId, Reader};
use super::turn::{Notice, Scene, check_private, leave_behind};
use crate::moment::Moment;
use crate::stream::segment::{Kind, Opening};
use crate::stream::view::{Cursor, JoinPoint, Presence, View};

/// Whether a reader stands in its log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Not yet: it comes from another log, and nobody feeds this one so far.
    Unknown,
    /// At its cursor, from where it looks for a place to join.
    Joins,
    /// It comes from another log and reads on, right here.
    ReadsOn(JoinPoint),
}

impl Place {
    /// Whether it stands anywhere.
    pub fn is_found(self) -> bool {
        self != Self::Unknown
    }

    /// The place where it reads on, if it need not join.
    pub fn reads_on(self) -> Option<JoinPoint> {
        match self {
            Self::ReadsOn(point) => Some(point),
            _ => None,
        }
    }
}

/// Gives a reader that came before its log was fed the place that it would have been given now.
pub fn place_early(reader: &mut Reader, view: &View) {
    if reader.past.unplaced && view.is_fed() {
        reader.past.unplaced = false;
        reader.cursor = view.join_point().map_or_else(|| view.end(), |point| point.at);
    }
}

/// Finds the place of a reader that came from another log of its stream, or before this one was fed.
pub fn find_place(reader: &mut Reader, view: &View) -> Place {
    place_early(reader, view);
    if reader.past.unplaced && reader.past.resume.is_none() {
        return Place::Unknown;
    }
    let Some(resume) = reader.past.resume else { return Place::Joins };
    if !view.is_fed() {
        return Place::Unknown;
    }
    reader.past.resume = None;
    reader.past.floor = Some(resume.after);
    let at = view.after(resume.after);
    reader.cursor = at;
    let continues = resume.seamless
        && view.reaches(resume.after)
        && view.generation(at.segment) == resume.generation
        && (view.presence() == Presence::Live || view.entry_at(at).is_some());
    if !continues {
        return Place::Joins;
    }
    let edge = view.edge();
    let point =
        view.entry_at(at)
            .map_or(JoinPoint { at, timestamp: edge.timestamp, gop: edge.gop }, |entry| {
                JoinPoint { at, timestamp: entry.timestamp, gop: entry.gop }
            });
    Place::ReadsOn(point)
}

/// Where a reader may begin, at or past its cursor. Without pictures that is anywhere: at the live
/// edge for a joiner, and where a new generation begins for a reader that comes from the old one.
pub fn join_point(reader: &Reader, scene: &Scene<'_>) -> Option<JoinPoint> {
    let view = scene.view;
    if scene.framing.takes(Kind::VideoKey) {
        let point = view.join_point()?;
        if !view.has_pictures() {
            // A stream of sound alone is known as such after a while; who waited misses nothing.
            return view.first_from(reader.cursor);
        }
        return Some(point).filter(|point| point.at >= reader.cursor);
    }
    if reader.headers.is_none() {
        let edge = view.edge();
        return Some(JoinPoint { at: view.end(), timestamp: edge.timestamp, gop: edge.gop });
    }
    let entry = view.entry_at(reader.cursor)?;
    Some(JoinPoint { at: reader.cursor, timestamp: entry.timestamp, gop: entry.gop })
}

/// Tells a reader, once, that the stream ended; nothing of what follows is sent before that.
pub fn ended(
    reader: &mut Reader,
    id: OutletId,
    now: Moment,
    notices: &mut Vec<(OutletId, Notice)>,
) {
    reader.waiting_since = now;
    reader.passed_end = false;
    // What comes next is another beginning: it is not behind with that.
    reader.stalled_at_ms = None;
    reader.behind_since = None;
    if !std::mem::replace(&mut reader.told_end, true) {
        reader.halted = true;
        notices.push((id, Notice::Ended));
    }
}

/// Tells a reader that waits or pauses, in a log where it stands, that the stream ended meanwhile.
pub fn hear_of_absence(
    outlet: &mut Outlet,
    id: OutletId,
    view: &View,
    now: Moment,
    notices: &mut Vec<(OutletId, Notice)>,
) {
    let Some(reader) = outlet.reader.as_mut() else { return };
    let concerned = reader.cursor.segment < view.end().segment || reader.has_read;
    if view.presence() == Presence::Live
        || !concerned
        || reader.told_end && reader.cursor == view.end()
    {
        return;
    }
    leave_behind(outlet, view, view.end());
    check_private(outlet, id, notices);
    if let Some(reader) = outlet.reader.as_mut() {
        ended(reader, id, now, notices);
    }
}

/// Whether the stream ended between two places.
pub fn passes_end(view: &View, from: Cursor, to: Cursor) -> bool {
    last_end(view, from, to).is_some()
}

/// Takes a reader that would pass an end of the stream to the last one before its target, and tells
/// it. It waits there.
pub fn stop_at_end(
    outlet: &mut Outlet,
    id: OutletId,
    view: &View,
    target: Cursor,
    now: Moment,
    notices: &mut Vec<(OutletId, Notice)>,
) {
    let Some(reader) = outlet.reader.as_mut() else { return };
    reader.standing = super::outlet::Standing::Waiting;
    if let Some(segment) = last_end(view, reader.cursor, target) {
        leave_behind(outlet, view, Cursor { segment, offset: 0 });
        check_private(outlet, id, notices);
    }
    if let Some(reader) = outlet.reader.as_mut() {
        ended(reader, id, now, notices);
    }
}

/// The segment of the last end between two places.
fn last_end(view: &View, from: Cursor, to: Cursor) -> Option<u64> {
    (from.segment + 1..=to.segment).rev().find(|number| {
        let segment = view.segment(*number);
        segment.is_some_and(|segment| segment.preface.opening == Opening::Ended)
    })
}
