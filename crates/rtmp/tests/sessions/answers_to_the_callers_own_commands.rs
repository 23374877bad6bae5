//! A command of the client's own, and what comes back for it.

use crate::common_bytes::{Cut, Pair};
use millstream_rtmp::client::ClientEvent;
use millstream_rtmp::limits::CALLS_MAX;
use millstream_rtmp::server::ServerEvent;

/// Names and transactions of the commands that a client was told of.
fn told(events: &[ClientEvent]) -> Vec<(&str, f64)> {
    let told = events.iter().filter_map(|event| match event {
        ClientEvent::Command(command) => Some((command.name.as_str(), command.transaction)),
        _ => None,
    });
    told.collect()
}

#[test]
fn an_answer_comes_once_and_the_sessions_own_stay_its_own() {
    let mut pair = Pair::new(Cut::Whole);
    let publish = pair.client.publish("cam", Default::default()).unwrap();
    let (client, _) = pair.run();
    assert!(told(&client).is_empty(), "releaseStream and FCPublish were answered, for nobody");
    let transaction = pair.client.send_command(0, "sum", vec![2.0.into(), 3.0.into()]).unwrap();
    let (_, server) = pair.run();
    let Some(ServerEvent::UnknownCommand(command)) = server.last() else { panic!("{server:?}") };
    assert_eq!(command.transaction, f64::from(transaction));
    for name in ["_result", "_error", "_result"] {
        pair.server.send_command(0, name, command.transaction, vec![5.0.into()]).unwrap();
    }
    let (client, _) = pair.run();
    assert_eq!(told(&client), [("_result", f64::from(transaction))]);
    let ClientEvent::Command(answer) = &client[0] else { panic!("{client:?}") };
    assert_eq!(answer.arguments[1], 5.0.into());
    assert!(pair.client.close(publish).is_ok(), "the publish goes on");
}

#[test]
fn the_newest_are_waited_for() {
    let mut pair = Pair::new(Cut::Whole);
    pair.run();
    let calls: Vec<u32> =
        (0..=CALLS_MAX).map(|_| pair.client.send_command(0, "x", vec![]).unwrap()).collect();
    pair.run();
    for transaction in &calls {
        pair.server.send_command(0, "_result", f64::from(*transaction), vec![]).unwrap();
    }
    let (client, _) = pair.run();
    let told: Vec<f64> = told(&client).into_iter().map(|(_, transaction)| transaction).collect();
    assert_eq!(told, calls[1..].iter().map(|call| f64::from(*call)).collect::<Vec<_>>());
}
