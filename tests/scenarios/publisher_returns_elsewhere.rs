//! The publisher's connection dies again and again, and the kernel puts the next one on whichever
//! shard it likes. Viewers on both shards stay, see no broken message, and the timeline goes on.

use super::support::{Codec, Server, Shape, World, millis};

#[test]
fn on_the_other_shard_twenty_times() {
    let mut server = Server::start(&[], "");
    crossings(&mut server, 20, 20);
}

/// Lets a publisher return until it has changed shards so often.
pub fn crossings(server: &mut Server, times: u32, viewers: usize) {
    let mut world = World::new(server.rtmp);
    world.play("cam", viewers);
    let mut at = world.stream("cam", 1, Shape::default(), 10);
    let mut shard = server.shard_of("live/cam");
    let mut crossed = 0;
    let mut generations = 1;
    while crossed < times {
        world.run(millis(60));
        // Every other time by a reset, which may destroy what is on its way.
        if generations % 2 == 0 {
            world.publishers[at].link.reset();
        } else {
            world.publishers[at].link.kill();
        }
        let mut next = world.publishers[at].source.again();
        if generations % 3 == 0 {
            // It comes back with another codec.
            next.shape.codec = match next.shape.codec {
                Codec::Avc => Codec::Hevc,
                Codec::Hevc => Codec::Avc,
            };
        }
        // The API speaks of the new publisher once that one is answered.
        at = world.come_again("cam", next);
        world.publishers[at].go(millis(10));
        generations += 1;
        assert!(generations < 400, "the kernel never chose the other shard");
        let now = server.shard_of("live/cam");
        crossed += u32::from(now != shard);
        shard = now;
        if generations % 8 == 0 {
            world.play("cam", 2);
        }
    }
    world.run(millis(200));
    world.settle(at);
    for player in &world.players {
        assert!(player.link.is_open(), "{} was sent away: {:?}", player.check.who, player.told);
        player.check.assert_whole();
        assert_eq!(player.check.metadata(), Some(generations), "{}", player.check.who);
        assert!(player.check.generations <= generations);
        assert_eq!(player.times_told("NetStream.Play.UnpublishNotify"), 0);
        assert_eq!(player.stream_ends, 0, "a stream that is held has not ended");
    }
    // Those who were there from the start saw nearly all of them: a publisher that lives for 60 ms
    // on a busy machine may be gone before its first frame is out.
    for player in &world.players[..viewers] {
        assert!(player.check.generations * 2 > generations, "{:?}", player.check.generations);
    }
    assert_eq!(server.total("publishers"), 1);
    assert_eq!(server.total("streams"), 1);
    server.assert_healthy();
}
