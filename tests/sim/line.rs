//! Those who stand in line: what they send while they wait, and what of it must be in the log once
//! their turn has come.

use super::shard::{Mail, Shard};
use super::truth::Written;
use super::world::World;
use millstream::stream::headers::HeaderSlot;
use millstream::stream::registry::ClaimId;
use millstream::stream::segment::Kind;
use millstream::stream::standby::Heard;
use millstream::stream::tenure::{Seal, Turn};
use millstream::stream::writer::Arrival;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A message that is sent while it is not known whether anybody will see it.
pub struct Draft {
    pub written: Written,
    pub payload: Vec<u8>,
    pub source_ms: u32,
}

/// What is to be appended of one who waits.
#[derive(Default)]
pub struct Line {
    headers: BTreeMap<HeaderSlot, Written>,
    /// Headers, the message with which it got its turn, and all since.
    kept: Option<Vec<Written>>,
}

impl Line {
    /// Of one who steps back, with the headers that it had.
    pub fn after(headers: impl IntoIterator<Item = Written>) -> Self {
        let mut line = Self::default();
        headers.into_iter().for_each(|header| line.note(&header));
        line
    }

    fn note(&mut self, written: &Written) {
        if let Some(slot) = written.slot {
            self.headers.insert(slot, *written);
        }
    }

    /// Its promise came to nothing.
    pub fn wait_again(&mut self) {
        for written in self.kept.take().into_iter().flatten() {
            self.note(&written);
        }
    }
}

impl World {
    /// Somebody who does not have the stream sends messages.
    pub fn stand_by(&mut self, shard: usize, claim: ClaimId, drafts: Vec<Draft>) {
        for Draft { written, payload, source_ms } in drafts {
            let Shard { publishing, marked, .. } = &mut self.shards[shard];
            let held = publishing.get_mut(&claim).expect("it is held");
            let Written { kind, carrier, slot, .. } = written;
            let arrival = Arrival { carrier, kind, header: slot, source_ms, payload: &payload };
            if let Some(publisher) = held.tenure.publisher_mut() {
                // Its turn came a moment ago.
                publisher.push(&arrival, self.now);
                let hub = Arc::clone(&held.tenure.hub);
                let stream = self.stream(&hub);
                self.streams[stream].write(written);
                continue;
            }
            match &mut held.line.kept {
                Some(kept) => kept.push(written),
                None => held.line.note(&written),
            }
            if held.tenure.hear(&arrival, self.now) != Heard::Asks {
                continue;
            }
            let turn = held.tenure.ask(
                &arrival,
                &mut self.registry,
                self.eagerness,
                &self.mailboxes,
                |at| marked[at] = true,
                self.now,
            );
            if turn != Turn::NotYet {
                let headers = held.line.headers.values().copied();
                held.line.kept = Some(headers.chain([written]).collect());
            }
            match turn {
                Turn::NotYet => {}
                Turn::Begun => self.begun(shard, claim),
                Turn::Promised(Seal { claim, shard }) => {
                    self.shards[shard].inbox.push_back(Mail::Seal(claim));
                }
            }
        }
        self.ring(shard);
    }

    /// A generation has begun, with what was kept for it.
    pub fn begun(&mut self, shard: usize, claim: ClaimId) {
        let held = self.shards[shard].publishing.get_mut(&claim).expect("it is held");
        let (hub, kept) = (Arc::clone(&held.tenure.hub), held.line.kept.take());
        let stream = self.stream(&hub);
        self.streams[stream].begin();
        let Some(kept) = kept else { return };
        let first = kept.iter().find(|written| written.slot.is_none()).expect("it began with one");
        let pictures = kept.iter().any(|written| written.kind == Kind::VideoHeader);
        assert!(
            first.kind == Kind::VideoKey || !pictures || first.refreshing,
            "a stream with pictures changed hands at {:?}",
            first.kind
        );
        self.streams[stream].adopt(&kept);
    }
}
