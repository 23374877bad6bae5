//! A publisher that comes back, by the application's choice, to a server that comes late.

use crate::support::*;
use millstream_client::blocking::{Settings, connect};
use millstream_client::{Backoff, Decision, Error, Failure, RtmpUrl, reconnecting_blocking};
use millstream_rtmp::session::PublishMode;
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

#[test]
fn a_publisher_returns_until_it_is_done() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = thread::spawn(move || {
        // Two that are dropped, one that is served.
        drop(listener.accept().unwrap());
        drop(listener.accept().unwrap());
        serve(listener.accept().unwrap().0)
    });
    let url = RtmpUrl::parse(&format!("rtmp://127.0.0.1:{port}/live/cam")).unwrap();
    let mut backoff = Backoff::new(Duration::from_millis(5), Duration::from_millis(20), 1);
    let mut failures = Vec::new();
    let result: Result<u32, Error> = reconnecting_blocking(
        |trial| {
            let mut connection = connect(&url, Settings::new(&url))?;
            let stream = connection.publish(&url.name(), PublishMode::Live)?;
            trial.established();
            for tag in film() {
                connection.client().tag(stream, tag).unwrap();
            }
            connection.end()?;
            Ok(trial.number())
        },
        |failure: &Failure<Error>| {
            failures.push((failure.number, failure.was_established));
            let wait = backoff.next(failure.elapsed).filter(|_| failure.error.may_pass());
            Decision::from(wait)
        },
    );
    assert_eq!(result.unwrap(), 3);
    assert_eq!(failures, [(1, false), (2, false)]);
    assert_eq!(server.join().unwrap().tags, film());
}
