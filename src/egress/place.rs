//! Where a reader goes on that does not simply read on: a joiner, one that comes from another log
//! of its stream, one that the end of the stream concerns. When it looks for its place stands in
//! `turn`.

use super::outlet::{Outlet, OutletId, Reader, Resume, Standing};
use super::turn::{Notice, Scene, leave_behind};
use crate::moment::Moment;
use crate::stream::segment::{Kind, Opening};
use crate::stream::view::{Cursor, JoinPoint, Presence, View};

/// Finds the place of a reader that came from another log of its stream, once this one has come so
/// far. Returns the place if it reads on right there, and need not join.
pub fn find_place(reader: &mut Reader, view: &View) -> Option<JoinPoint> {
    let Resume { after, joins } = reader.resume?;
    let at = view.after(after);
    let entry = view.entry_at(at)?;
    // What precedes it was sent from the other log.
    let last = view.before(at);
    reader.passed_end |= passes_end(view, last, at);
    reader.cursor = at;
    reader.resume = None;
    (!joins).then_some(JoinPoint { at, timestamp: entry.timestamp, gop: entry.gop })
}

/// Where a reader may begin, at or past its cursor. Without pictures that is anywhere: at the live
/// edge for a joiner, and where a new generation begins for a reader that comes from the old one.
pub fn join_point(reader: &Reader, scene: &Scene<'_>) -> Option<JoinPoint> {
    let view = scene.view;
    if scene.framing.takes(Kind::VideoKey) {
        return view.join_point().filter(|point| point.at >= reader.cursor);
    }
    if reader.headers.is_none() {
        let edge = view.edge();
        return Some(JoinPoint { at: view.end(), timestamp: edge.timestamp, gop: edge.gop });
    }
    let entry = view.entry_at(reader.cursor)?;
    Some(JoinPoint { at: reader.cursor, timestamp: entry.timestamp, gop: entry.gop })
}

/// Tells a reader, once, that the stream ended; nothing of what follows is sent before that.
pub fn tell_end(
    reader: &mut Reader,
    id: OutletId,
    now: Moment,
    notices: &mut Vec<(OutletId, Notice)>,
) {
    reader.waiting_since = now;
    reader.passed_end = false;
    if !std::mem::replace(&mut reader.told_end, true) {
        reader.halted = true;
        notices.push((id, Notice::Ended));
    }
}

/// Tells a reader that does not read on that the stream ended meanwhile.
pub fn hear_of_absence(
    outlet: &mut Outlet,
    id: OutletId,
    scene: &Scene<'_>,
    now: Moment,
    notices: &mut Vec<(OutletId, Notice)>,
) {
    let end = scene.view.end();
    let Some(reader) = outlet.reader.as_deref_mut() else { return };
    if scene.view.presence() == Presence::Live || reader.cursor.segment >= end.segment {
        return;
    }
    if reader.resume.take().is_some() {
        // Its cursor says nothing here, and nothing came behind what it was sent last.
        reader.cursor = end;
    }
    leave_behind(outlet, scene, end);
    if let Some(reader) = outlet.reader.as_deref_mut() {
        tell_end(reader, id, now, notices);
    }
}

/// Whether the stream ended between two places.
pub fn passes_end(view: &View, from: Cursor, to: Cursor) -> bool {
    (from.segment + 1..=to.segment)
        .filter_map(|number| view.segment(number))
        .any(|segment| segment.preface.opening == Opening::Ended)
}

/// Takes a reader that would pass an end of the stream to just before its target, and tells it.
pub fn stop_at_end(
    outlet: &mut Outlet,
    id: OutletId,
    scene: &Scene<'_>,
    target: Cursor,
    now: Moment,
    notices: &mut Vec<(OutletId, Notice)>,
) -> bool {
    let mut end = target;
    if let Some(reader) = outlet.reader.as_deref() {
        let ends = (reader.cursor.segment + 1..=target.segment).rev().find(|number| {
            let segment = scene.view.segment(*number);
            segment.is_some_and(|segment| segment.preface.opening == Opening::Ended)
        });
        end = ends.map_or(reader.cursor, |segment| Cursor { segment, offset: 0 });
    }
    leave_behind(outlet, scene, end);
    if let Some(reader) = outlet.reader.as_deref_mut() {
        reader.standing = Standing::Waiting;
        tell_end(reader, id, now, notices);
    }
    true
}
