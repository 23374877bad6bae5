//! What a shard does when a stream changes hands: sealing it, stepping back, inheriting it.

use super::line::Line;
use super::shard::Shard;
use super::world::World;
use millstream::role::Role;
use millstream::stream::registry::ClaimId;
use millstream::stream::tenure::{GivenUp, Inheritance};
use std::sync::Arc;

impl World {
    pub fn seal(&mut self, shard: usize, claim: ClaimId) {
        let Shard { publishing, marked, .. } = &mut self.shards[shard];
        let Some(held) = publishing.get_mut(&claim) else { return };
        let stays = held.encoder.is_some_and(|number| self.encoders[number].role != Role::Slate);
        let given_up = held.tenure.give_up(
            stays,
            &mut self.registry,
            &self.mailboxes,
            |at| marked[at] = true,
            self.now,
        );
        let heir = match given_up {
            GivenUp::Kept => return,
            GivenUp::Left(heir) => {
                publishing.remove(&claim);
                heir
            }
            GivenUp::SteppedBack(heir) => {
                let hub = Arc::clone(&held.tenure.hub);
                let stream = self.stream(&hub);
                let line = Line::after(self.streams[stream].headers());
                self.shards[shard].publishing.get_mut(&claim).expect("it was there").line = line;
                heir
            }
        };
        self.tell(heir);
        self.ring(shard);
    }

    pub fn inherit(&mut self, shard: usize, claim: ClaimId) {
        let Shard { publishing, marked, .. } = &mut self.shards[shard];
        let Some(held) = publishing.get_mut(&claim) else { return };
        let inheritance = held.tenure.inherit(
            &mut self.registry,
            self.eagerness,
            &self.mailboxes,
            |at| marked[at] = true,
            self.now,
        );
        let lost = held.encoder.is_none();
        match inheritance {
            Inheritance::Nothing => {}
            Inheritance::PassedOn(heir) => {
                publishing.remove(&claim);
                self.tell(heir);
            }
            Inheritance::SteppedBack(heir) => {
                held.line.wait_again();
                self.tell(heir);
                if lost {
                    self.lose_claim(shard, claim);
                }
            }
            Inheritance::Begun => {
                self.begun(shard, claim);
                if lost {
                    self.lose_claim(shard, claim);
                }
            }
        }
        self.ring(shard);
    }
}
