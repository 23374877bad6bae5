//! One publish or play of the client, and what it is at the target.

use super::resume::Resume;
use super::upstream::UpstreamId;
use millstream_client::RtmpUrl;
use millstream_rtmp::client::PlayOptions;
use millstream_rtmp::session::{PublishMode, RequestId};
use std::time::Instant;

pub(super) struct Route {
    /// The client's message stream.
    pub(super) stream_id: u32,
    pub(super) upstream: UpstreamId,
    pub(super) url: RtmpUrl,
    pub(super) aim: Aim,
    /// The client's request, until it is answered, and since when it waits.
    pub(super) asked: Option<(RequestId, Instant)>,
    /// Ours of the target, while there is a connection to it.
    pub(super) request: Option<RequestId>,
    /// The target's message stream, while it has accepted.
    pub(super) running: Option<u32>,
    /// The target has said that what is played is at its end.
    pub(super) stopped: bool,
}

pub(super) enum Aim {
    Publish { mode: PublishMode, resume: Resume },
    Play(PlayOptions),
}

/// All of a session. There are few: they are found by walking.
#[derive(Default)]
pub(super) struct Routes(Vec<Route>);

impl Routes {
    /// Adds one. The client's session bounds how many there are, by its message streams.
    pub(super) fn push(&mut self, route: Route) {
        self.0.push(route);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// By the client's message stream.
    pub(super) fn of_client(&mut self, stream_id: u32) -> Option<&mut Route> {
        self.0.iter_mut().find(|route| route.stream_id == stream_id)
    }

    /// By our request of the target.
    pub(super) fn asked(&mut self, upstream: UpstreamId, request: RequestId) -> Option<&mut Route> {
        self.on(upstream).find(|route| route.request == Some(request))
    }

    /// By the target's message stream. Servers that leave the id at 0 in media mean the only one.
    pub(super) fn of_target(&mut self, upstream: UpstreamId, id: u32) -> Option<&mut Route> {
        let running = |route: &Route| route.upstream == upstream && route.running.is_some();
        let at = self.0.iter().position(|route| running(route) && route.running == Some(id));
        let only = || {
            let mut all = self.0.iter().enumerate().filter(|(_, route)| running(route));
            let (at, _) = all.next()?;
            (id == 0 && all.next().is_none()).then_some(at)
        };
        let at = at.or_else(only)?;
        self.0.get_mut(at)
    }

    pub(super) fn on(&mut self, upstream: UpstreamId) -> impl Iterator<Item = &mut Route> {
        self.0.iter_mut().filter(move |route| route.upstream == upstream)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Route> {
        self.0.iter()
    }

    pub(super) fn remove(&mut self, stream_id: u32) -> Option<Route> {
        let at = self.0.iter().position(|route| route.stream_id == stream_id)?;
        Some(self.0.remove(at))
    }

    /// Removes those of one connection that are wanted no more.
    pub(super) fn take(
        &mut self,
        upstream: UpstreamId,
        wanted_no_more: impl Fn(&Route) -> bool,
    ) -> Vec<Route> {
        let is = |route: &mut Route| route.upstream == upstream && wanted_no_more(route);
        self.0.extract_if(.., is).collect()
    }

    pub(super) fn take_all(&mut self) -> Vec<Route> {
        std::mem::take(&mut self.0)
    }
}
