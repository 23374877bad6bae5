//! What is judged of a server as a whole: after every step, when all is calm, and at the end.

use super::player::{Player, Temper};
use super::world::World;
use millstream::limits;
use millstream::stream::segment::Kind;

impl World {
    pub fn check(&self) {
        for name in &self.names {
            let owners = self
                .shards
                .iter()
                .flat_map(|shard| shard.publishing.values())
                .filter(|held| held.tenure.hub.name == *name && !held.tenure.is_promised())
                .count();
            assert!(owners <= 1, "{owners} owners of {name}");
        }
        for player in self.players.iter().filter(|player| player.hung_up.is_none()) {
            let outlet = self.shards[player.shard].fanout.outlet(player.outlet).expect("open");
            assert!(outlet.private.len() <= limits::PRIVATE_BYTES_MAX || outlet.closed);
        }
    }

    /// Nobody publishes or acts any more; everybody takes what is his.
    pub fn settle_down(&mut self) {
        self.calm = true;
        for player in &mut self.players {
            if player.temper != Temper::Stuck {
                player.temper = Temper::Fast;
                player.full_until = player.full_until.map(|until| until.min(self.now));
            }
        }
        // Less than the hold: nothing ends meanwhile that has not been about to.
        for _ in 0..30 {
            self.step();
        }
        for player in &self.players {
            self.judge(player);
        }
    }

    fn judge(&self, player: &Player) {
        if player.hung_up.is_some() || player.temper == Temper::Stuck || player.paused {
            return;
        }
        let stream = &self.streams[player.stream];
        let outlet = self.shards[player.shard].fanout.outlet(player.outlet).expect("open");
        assert_eq!(player.private_seen(), player.private_sent, "private messages are missing");
        let Some(newest) = stream.last_frame(player.projection) else { return };
        // What a player must have had by now: the newest group of pictures that it was there for.
        let key = stream.messages.iter().rposition(|message| message.kind == Kind::VideoKey);
        let joinable = key.is_some_and(|at| {
            let key = &stream.messages[at];
            at as u32 >= player.attached_at() && key.generation == stream.generation
        });
        if stream.live && joinable && player.projection.video && !player.projected {
            assert_eq!(
                player.last_frame,
                Some(newest),
                "{}/{} was forgotten",
                player.shard,
                player.outlet.at
            );
        }
        if let Some(last) = player.last_frame
            && !player.projected
        {
            let (frames, bytes) = player.missed(last, newest + 1, stream);
            let missing = (player.missing.0 + frames, player.missing.1 + bytes);
            let counted = (outlet.stats.frames_dropped, outlet.stats.bytes_dropped);
            // A reader that waits for a key frame has not been past the frames behind it yet.
            let least = if last == newest { missing } else { player.missing };
            // A reader may have joined at the live edge and lost frames before it had its first.
            let first = player.first_frame.expect("it had a last one");
            let early = player.missed(0, first, stream);
            let excused = player.excused;
            let most = (missing.0 + early.0 + excused.0, missing.1 + early.1 + excused.1);
            assert!(
                least <= counted && counted <= most,
                "{}/{}: {missing:?} frames and bytes are missing, {:?} before {last}, {counted:?} are counted",
                player.shard,
                player.outlet.at,
                player.missing
            );
            // Whoever goes on has been told of all that it lost.
            if last == newest {
                assert_eq!(player.announced, counted, "losses that were announced");
            }
        }
    }

    /// Everybody goes; nothing may be left.
    pub fn end(&mut self) {
        for shard in 0..self.shards.len() {
            let claims: Vec<_> = self.shards[shard].publishing.keys().copied().collect();
            for claim in claims {
                self.lose_claim(shard, claim);
            }
        }
        // Past the hold of a promise that came while others were held.
        for _ in 0..800 {
            self.step();
            if self.registry_is_idle() {
                break;
            }
        }
        for _ in 0..5 {
            self.step();
        }
        for name in &self.names {
            assert!(self.registry.owner(name).is_none(), "{name} is held for good");
            assert!(!self.registry.is_waited_for(name), "a line for {name} is left");
        }
        for shard in &self.shards {
            assert!(shard.publishing.is_empty(), "a claim is left that nobody knows");
        }
        for player in &self.players {
            if player.hung_up.is_none() && player.temper != Temper::Stuck && !player.paused {
                let had = player.last_frame.is_some();
                assert!(
                    player.told_end || !had,
                    "{}/{} was not told of the end",
                    player.shard,
                    player.outlet.at
                );
            }
        }
        for number in 0..self.players.len() {
            if self.players[number].hung_up.is_none() {
                self.leave(number);
            }
        }
        assert!(self.registry.is_empty(), "a stream is left that nobody wants");
    }

    fn registry_is_idle(&self) -> bool {
        self.names.iter().all(|name| self.registry.owner(name).is_none())
    }
}
