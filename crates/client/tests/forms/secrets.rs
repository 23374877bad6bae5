//! What is printed of clients, connections and handles while a key is on its way and after.

use crate::support::*;
use millstream_client::blocking::{Settings, connect};
use millstream_client::{Client, Connection, Options, PlayOptions, PublishMode, RtmpUrl};
use std::fmt::Debug;
use std::time::Duration;
use tokio_util::compat::TokioAsyncReadCompatExt;

const NAME: &str = "live_1234567890_abcdef?key=s3cret";

fn check(shown: &impl Debug) {
    let shown = format!("{shown:?} {shown:#?}");
    assert!(!shown.contains("s3cret") && !shown.contains("live_1234567890"), "{shown}");
}

#[test]
fn a_client_at_each_step() {
    let mut client = Client::new(Options::new(&url("cam"))).unwrap();
    let mut server = Session::new();
    let stream = client.publish(NAME, PublishMode::Live).unwrap();
    client.play(NAME, PlayOptions::default()).unwrap();
    loop {
        check(&client);
        let up = client.outgoing().to_vec();
        check(&client);
        client.sent(up.len());
        let down = server.feed(&up);
        let mut input = &down[..];
        while client.receive(&mut input).unwrap().is_some() {
            check(&client);
        }
        if up.is_empty() && down.is_empty() {
            break;
        }
    }
    client.close(stream).unwrap();
    check(&client);
}

#[test]
fn a_blocking_connection() {
    let (port, _sessions) = listen(1);
    let url = RtmpUrl::parse(&format!("rtmp://127.0.0.1:{port}/live/{NAME}")).unwrap();
    let mut connection = connect(&url, Settings::new(&url)).unwrap();
    connection.publish(&url.name(), PublishMode::Live).unwrap();
    check(&connection);
}

#[tokio::test]
async fn an_async_connection_and_its_handles() {
    // Nobody serves it, so that what was said stays in the pipe.
    let (ours, theirs) = tokio::io::duplex(64 * 1024);
    let mut connection = Connection::new(ours.compat(), Options::new(&url(NAME))).unwrap();
    let asked = connection.publish(NAME, PublishMode::Live);
    tokio::time::timeout(Duration::from_millis(10), asked).await.unwrap_err();
    check(&connection);

    let server = tokio::spawn(serve_async(theirs));
    let (remote, driver) = connection.split();
    check(&driver);
    let driver = tokio::spawn(driver);
    let publisher = remote.publish(NAME, PublishMode::Live).await.unwrap();
    let player = remote.play("film", PlayOptions::default()).await.unwrap();
    check(&remote);
    check(&publisher);
    check(&player);
    drop((publisher, player));
    remote.finish().await.unwrap();
    driver.await.unwrap().unwrap();
    server.await.unwrap();
}
