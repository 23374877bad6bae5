//! A stream goes in and comes out; a ticket does so once.

use bytes::Bytes;
use millstream_client::{Error, Event, PlayOptions, PublishMode, RtmpUrl, blocking};
use std::time::{Duration, Instant};

fn connect(url: &RtmpUrl) -> blocking::Connection {
    blocking::connect(url, blocking::Settings::new(url)).expect("it serves")
}

#[test]
fn a_ticket_admits_once() {
    let anywhere = "127.0.0.1:0".parse().expect("an address");
    let tickets = ["first", "second"].map(String::from).into();
    let server = tickets::start(anywhere, tickets).expect("it starts");
    let url = |ticket: &str| {
        RtmpUrl::parse(&format!("rtmp://{}/live/film{ticket}", server.rtmp()[0])).expect("a URL")
    };
    let mut publisher = connect(&url(""));
    let stream = publisher.publish("film", PublishMode::Live).expect("everybody may publish");

    let admitted = url("?ticket=first");
    let mut viewer = connect(&admitted);
    viewer.play(&admitted.name(), PlayOptions::default()).expect("it has a ticket");
    for bad in ["", "?ticket=first", "?ticket=third"] {
        let bad = url(bad);
        let refused = connect(&bad).play(&bad.name(), PlayOptions::default());
        assert!(matches!(refused, Err(Error::Refused(_))), "{refused:?}");
    }

    let picture = Bytes::from_static(b"\x17\x01\0\0\0 a key frame");
    let began = Instant::now();
    for time in (0..).step_by(40) {
        publisher.client().video(stream, time, picture.clone()).expect("it publishes");
        publisher.next(Duration::from_millis(20)).expect("the publisher stays");
        let event = viewer.next(Duration::from_millis(20)).expect("the viewer stays");
        if let Some(Event::Media { tag, .. }) = event {
            assert_eq!(tag.payload, picture);
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "no picture came");
    }
}
