//! Targets that close, stall, talk nonsense and stop reading: the publisher is told, or goes on with
//! the next connection.

use crate::fake::{Behaviour, Fake};
use crate::support::{PATIENCE, Proxy, picture, publish, wait_until};
use millstream_client::Error;
use millstream_testkit::Scratch;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

#[test]
fn a_publisher_is_accepted_by_the_first_good_connection() {
    static BEHAVIOURS: [Behaviour; 3] = [Behaviour::Closes, Behaviour::Garbage, Behaviour::Good];
    let (scratch, fake) = (Scratch::new("proxy-bad").unwrap(), Fake::start(&BEHAVIOURS));
    let proxy = Proxy::start(&scratch, &[&fake.url()]);
    let (mut connection, stream) = publish(&proxy.url("cam")).unwrap();
    connection.client().video(stream, 7, picture(0)).unwrap();
    connection.end().unwrap();
    wait_until("the picture", || fake.media().len() == 1);
    assert_eq!(fake.media()[0].payload, picture(0));
    assert_eq!(fake.connections(), 3);
    let said = proxy.stop();
    assert_eq!(said.matches("the target is lost").count(), 1, "{said}");
}

#[test]
fn a_publisher_goes_on_after_nonsense_and_cut_messages() {
    static BEHAVIOURS: [Behaviour; 3] =
        [Behaviour::GarbageLater, Behaviour::ClosesInside, Behaviour::Good];
    let (scratch, fake) = (Scratch::new("proxy-cut").unwrap(), Fake::start(&BEHAVIOURS));
    let mut proxy = Proxy::start(&scratch, &[&fake.url()]);
    let (mut connection, stream) = publish(&proxy.url("cam")).unwrap();
    let since = Instant::now();
    let mut number = 0;
    while fake.media().len() < 15 {
        connection.client().video(stream, number * 40, picture(number)).unwrap();
        connection.next(Duration::from_millis(20)).unwrap();
        number += 1;
        assert!(since.elapsed() < PATIENCE, "it does not go on");
    }
    proxy.wait_for("publish goes on", 2);
    let media = fake.media();
    // The last connection begins at a key frame, and what follows is whole.
    let begun = media.iter().rposition(|message| message.payload[0] == 0x17).unwrap();
    for pair in media[begun..].windows(2) {
        assert_eq!(pair[1].timestamp - pair[0].timestamp, 40);
    }
    for message in &media[begun..] {
        assert_eq!(message.payload, picture(message.timestamp / 40));
    }
    connection.end().unwrap();
    proxy.stop();
}

#[test]
fn a_target_that_says_nothing_is_told_of_in_time() {
    let (scratch, fake) = (Scratch::new("proxy-mute").unwrap(), Fake::start(&[Behaviour::Stalls]));
    let proxy = Proxy::start(&scratch, &[&fake.url()]);
    let since = Instant::now();
    let Err(Error::Refused(refusal)) = publish(&proxy.url("cam")) else { panic!("not refused") };
    assert_eq!(refusal.code, "NetStream.Publish.Failed");
    assert!(refusal.description.contains("behind this proxy"), "{}", refusal.description);
    assert!(since.elapsed() > Duration::from_secs(5), "too early");
    proxy.stop();
}

#[test]
fn a_target_that_stops_reading_slows_the_publisher_and_fills_no_memory() {
    const PICTURES: u32 = 4_000;
    let fake = Fake::start(&[Behaviour::StopsReading]);
    let scratch = Scratch::new("proxy-slow").unwrap();
    let proxy = Proxy::start(&scratch, &[&fake.url()]);
    let (mut connection, stream) = publish(&proxy.url("cam")).unwrap();
    let before = proxy.memory();
    let sent = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0..PICTURES {
                connection.client().video(stream, number, picture(number)).unwrap();
                connection.flush().unwrap();
                sent.store(number as usize + 1, Ordering::Relaxed);
            }
            connection.end().unwrap();
        });
        let mut last = usize::MAX;
        wait_until("a standstill", || {
            std::thread::sleep(Duration::from_millis(500));
            let now = sent.load(Ordering::Relaxed);
            std::mem::replace(&mut last, now) == now && now > 0
        });
        // 80 MB are on their way; the four buffers of the two sockets hold less.
        assert!(last < PICTURES as usize, "all of it was taken");
        let grown = proxy.memory().saturating_sub(before);
        assert!(grown < 8 << 20, "the proxy grew by {grown} bytes");
        fake.read_on();
    });
    wait_until("all pictures", || fake.media().len() == PICTURES as usize);
    for (number, message) in (0..).zip(fake.media()) {
        assert_eq!((message.timestamp, message.payload), (number, picture(number)));
    }
    proxy.stop();
}
