//! Both ends say what they should, with bytes changed and cut at random: nothing panics, and nothing
//! grows.

use super::*;
use proptest::prelude::*;

/// What a client and a target say to each other when all is well, publishing and playing.
fn dialogue() -> (Vec<u8>, Vec<u8>) {
    let mut world = World::new(policy("rtmp://h", &[]));
    let stream = world.publish("cam").unwrap();
    world.client.play("cam", PlayOptions::default()).unwrap();
    world.client.send_command(0, "sum", vec![2.0.into()]).unwrap();
    world.run();
    for payload in [METADATA, CONFIGURATION, KEY, PICTURE] {
        world.send(stream, MessageType::VIDEO, 7, payload);
        world.play_out(2, 7, payload);
    }
    world.targets[0].1.unpublish_notify(2).unwrap();
    world.run();
    assert_eq!(world.session.figures.totals().messages_down, 4);
    world.said
}

/// Bytes put in the place of others, by place; places count from behind the handshake, which passes.
fn changed(bytes: &[u8], changes: &[(prop::sample::Index, u8)]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let open = 3073.min(bytes.len() - 1);
    for (at, byte) in changes {
        let at = open + at.index(bytes.len() - open);
        bytes[at] = *byte;
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn nothing_panics_and_nothing_grows(
        of_client in prop::collection::vec(any::<(prop::sample::Index, u8)>(), 0..12),
        of_target in prop::collection::vec(any::<(prop::sample::Index, u8)>(), 0..12),
        piece in 1..2000_usize,
    ) {
        static DIALOGUE: std::sync::OnceLock<(Vec<u8>, Vec<u8>)> = std::sync::OnceLock::new();
        let (client, target) = DIALOGUE.get_or_init(dialogue);
        let client = changed(client, &of_client);
        let target = changed(target, &of_target);
        let mut world = World::new(policy("rtmp://h", &[]));
        let mut client = client.chunks(piece);
        let mut target = target.chunks(piece);
        loop {
            let (from_client, from_target) = (client.next(), target.next());
            world.now += Duration::from_millis(100);
            world.session.tick(world.now);
            while let Some((id, _)) = world.session.next_dial(world.now) {
                world.session.dialled(id, world.now);
            }
            world.session.client_bytes(from_client.unwrap_or_default(), world.now);
            for id in 0..world.session.next_upstream {
                world.session.target_bytes(id, from_target.unwrap_or_default(), world.now);
                let waiting = world.session.target_output(id).map_or(0, |out| out.split().len());
                prop_assert!(waiting < limits::PROXY_ANSWER_BYTES);
            }
            let waiting = world.session.client_output().split().len();
            prop_assert!(waiting < limits::PROXY_ANSWER_BYTES);
            if (from_client, from_target) == (None, None) {
                break;
            }
        }
        world.session.close();
    }
}
