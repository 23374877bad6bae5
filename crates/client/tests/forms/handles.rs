//! Several tasks on one connection, on tokio over a narrow pipe in memory.

use crate::support::*;
use bytes::Bytes;
use millstream_client::{Aim, Connection, Error, Event, Fate, Options, SendError};
use millstream_rtmp::client::PlayOptions;
use millstream_rtmp::server::ServerEvent;
use millstream_rtmp::session::PublishMode;
use std::pin::Pin;
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Wake, Waker};
use std::time::Duration;
use tokio::io::DuplexStream;
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt};

fn pipe(bytes: usize) -> (Connection<Compat<DuplexStream>>, DuplexStream) {
    let (ours, theirs) = tokio::io::duplex(bytes);
    (Connection::new(ours.compat(), Options::new(&url("cam"))).unwrap(), theirs)
}

#[tokio::test]
async fn two_publishers_and_a_player_at_once() {
    let (connection, theirs) = pipe(200);
    let server = tokio::spawn(serve_async(theirs));
    let (remote, driver) = connection.split();
    let driver = tokio::spawn(driver);
    let send = |name: &'static str| {
        let remote = remote.clone();
        tokio::spawn(async move {
            let publisher = remote.publish(name, PublishMode::Live).await.unwrap();
            for tag in film() {
                assert_eq!(publisher.tag(tag), Ok(Fate::Queued));
            }
            publisher.ready().await.unwrap();
            assert_eq!(publisher.stats().sent_messages, 3);
        })
    };
    let (one, two) = (send("one"), send("two"));
    let mut player = remote.play("film", PlayOptions::default()).await.unwrap();
    let mut tags = Vec::new();
    while tags.len() < 3 {
        tags.extend(player.next().await.unwrap().unwrap().into_tag());
    }
    assert_eq!(tags, film());
    let error = remote.play("no-film", PlayOptions::default()).await.unwrap_err();
    assert!(matches!(error, Error::Refused(_)), "{error}");
    one.await.unwrap();
    two.await.unwrap();
    remote.finish().await.unwrap();
    driver.await.unwrap().unwrap();
    // Held to the end, it is told the end.
    while let Some(event) = player.next().await.unwrap() {
        assert!(matches!(event, Event::Stopped { .. }), "{event:?}");
    }
    assert_eq!(server.await.unwrap().tags.len(), 6);
}

#[tokio::test]
async fn without_a_task_of_its_own_and_with_handles_dropped() {
    let (connection, theirs) = pipe(1000);
    let (remote, driver) = connection.split();
    let work = driver.beside(async move {
        let publisher = remote.publish("cam", PublishMode::Record).await?;
        for tag in film() {
            publisher.tag(tag).unwrap();
        }
        // Dropped here, with all that is queued.
        Ok::<_, Error>(7)
    });
    let (result, session) = tokio::join!(work, serve_async(theirs));
    assert_eq!(result.unwrap(), 7);
    assert_eq!(session.tags, film());
    assert!(session.saw(|event| matches!(event, ServerEvent::Unpublish { .. })));
}

#[tokio::test]
async fn a_server_that_stops_reading_makes_a_publisher_skip_not_wait() {
    let (connection, mut theirs) = pipe(64 * 1024);
    let (remote, driver) = connection.split();
    let driver = tokio::spawn(driver);
    let server = tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let mut session = Session::new();
        let mut buffer = [0; 1000];
        while !session.saw(|event| matches!(event, ServerEvent::Publish(_))) {
            let count = theirs.read(&mut buffer).await.unwrap();
            let output = session.feed(&buffer[..count]);
            theirs.write_all(&output).await.unwrap();
        }
        theirs
    });
    let publisher = remote.publish("cam", PublishMode::Live).await.unwrap();
    let theirs = server.await.unwrap();
    let frame = Bytes::from([&b"\x27\x01\0\0\0"[..], &[0; 10_000]].concat());
    for time in (0..20_000).step_by(40) {
        publisher.video(time, frame.clone()).unwrap();
        tokio::task::yield_now().await;
    }
    let stats = publisher.stats();
    assert!(stats.skipping_video && stats.skipped_video > 400, "{stats:?}");
    let waited = tokio::time::timeout(Duration::from_millis(50), publisher.ready()).await;
    assert!(waited.is_ok(), "what was old has been dropped, so nothing is queued");

    // The server goes: everybody is told.
    drop(theirs);
    let error = publisher.next().await.unwrap_err();
    assert!(matches!(error, Error::Closed { .. }), "{error:?}");
    assert!(matches!(driver.await.unwrap(), Err(Error::Closed { .. })));
    let error = remote.publish("more", PublishMode::Live).await.unwrap_err();
    assert!(matches!(error, Error::Closed { .. }), "{error:?}");
    assert_eq!(
        publisher.video(0, frame).map_err(|error| error == SendError::TooLong),
        Ok(Fate::Skipped)
    );
}

#[tokio::test]
async fn a_player_that_does_not_take_its_events_stops_the_reading_and_loses_nothing() {
    let (connection, theirs) = pipe(64 * 1024);
    let (remote, driver) = connection.split();
    let driver = tokio::spawn(driver);
    let server = tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let (mut reader, mut writer) = tokio::io::split(theirs);
        let mut session = Session::new();
        let mut buffer = [0; 1000];
        while !session.saw(|event| matches!(event, ServerEvent::Play(_))) {
            let count = reader.read(&mut buffer).await.unwrap();
            let output = session.feed(&buffer[..count]);
            writer.write_all(&output).await.unwrap();
        }
        let payload = vec![0x27; 100_000];
        for time in 0..200 {
            let mut message = Vec::new();
            let kind = millstream_rtmp::message::MessageType::VIDEO;
            let size = millstream_rtmp::server::ServerOptions::default().chunk_size;
            millstream_rtmp::chunk::write_standalone(
                kind,
                6,
                time,
                1,
                &payload,
                size,
                &mut message,
            );
            writer.write_all(&message).await.unwrap();
        }
        while !matches!(reader.read(&mut buffer).await, Ok(0) | Err(_)) {}
    });
    let mut player = remote.play("cam", PlayOptions::default()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let (received, _) = remote.bytes();
    assert!(received < 6 * 1024 * 1024, "{received} bytes were read of 20 MB");
    let mut times = Vec::new();
    while times.len() < 200 {
        if let Event::Media { tag, .. } = player.next().await.unwrap().unwrap() {
            times.push(tag.timestamp);
        }
    }
    assert_eq!(times, (0..200).collect::<Vec<_>>());
    drop(player);
    remote.finish().await.unwrap();
    driver.await.unwrap().unwrap();
    server.await.unwrap();
}

#[tokio::test]
async fn a_driver_that_is_dropped_is_missed() {
    let (connection, _theirs) = pipe(1000);
    let (remote, driver) = connection.split();
    drop(driver);
    let error = remote.play("film", PlayOptions::default()).await.unwrap_err();
    assert!(matches!(error, Error::NoDriver), "{error:?}");
}

#[tokio::test]
async fn a_server_that_says_close_and_leaves_the_socket_open_ends_all_that_waits() {
    let (connection, theirs) = pipe(64 * 1024);
    let (remote, driver) = connection.split();
    let driver = tokio::spawn(driver);
    let server = tokio::spawn(serve_until(
        theirs,
        |event| matches!(event, ServerEvent::Play(play) if play.name == "cam"),
    ));
    let publisher = remote.publish("one", PublishMode::Live).await.unwrap();
    let player = remote.play("cam", PlayOptions::default());
    let told = async {
        let mut player = player.await?;
        while player.next().await?.is_some() {}
        Ok::<_, Error>(())
    };
    let told = tokio::time::timeout(Duration::from_secs(5), told).await.unwrap();
    assert!(matches!(told, Err(Error::Closed { aim: Aim::Publish })), "{told:?}");
    let _open = server.await.unwrap();
    assert!(matches!(publisher.ready().await, Err(Error::Closed { aim: Aim::Publish })));
    assert!(matches!(publisher.next().await, Err(Error::Closed { aim: Aim::Publish })));
    let more = remote.publish("more", PublishMode::Live).await;
    assert!(matches!(more, Err(Error::Closed { aim: Aim::Publish })));
    assert!(matches!(driver.await.unwrap(), Err(Error::Closed { aim: Aim::Publish })));
}

/// A task whose executor is gone: whoever is to wake it holds it alone, and drops it by waking it.
struct Left(Mutex<Option<Pin<Box<dyn Future<Output = ()> + Send>>>>);

impl Wake for Left {
    fn wake(self: Arc<Self>) {}
}

#[test]
fn a_task_that_ends_when_it_is_woken_may_hold_handles() {
    let (done, told) = mpsc::channel();
    // In a thread of its own, which would be stuck.
    std::thread::spawn(move || {
        let (connection, _theirs) = pipe(1000);
        let (remote, driver) = connection.split();
        let task = Arc::new(Left(Mutex::new(None)));
        let waker = Waker::from(Arc::clone(&task));
        let other = remote.clone();
        let mut future: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(async move {
            let _ = other.play("cam", PlayOptions::default()).await;
        });
        assert!(future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        *task.0.lock().unwrap() = Some(future);
        let left = Arc::downgrade(&task);
        drop((task, waker));
        assert!(left.upgrade().is_some(), "the player's place holds it");
        drop(driver);
        assert!(left.upgrade().is_none());
        drop(remote);
        done.send(()).unwrap();
    });
    told.recv_timeout(Duration::from_secs(5)).unwrap();
}
