//! The shared state by itself, at the edges of what may wait.

use super::state::State;
use crate::client::{Client, Event};
use crate::error::{Aim, Error, Refusal};
use crate::options::Options;
use crate::url::RtmpUrl;
use crate::waiting::EVENTS_MAX;
use millstream_rtmp::client::{PlayOptions, Status};
use millstream_rtmp::session::{Level, PublishMode, RequestId};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Wake, Waker};

#[derive(Default)]
struct Wakes(AtomicU32);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn state() -> State {
    let url = RtmpUrl::parse("rtmp://h/live/cam").unwrap();
    State::new(Client::new(Options::new(&url)).unwrap())
}

fn published(state: &mut State) -> RequestId {
    state.ask(Aim::Publish, |client| client.publish("cam", PublishMode::Live)).unwrap()
}

fn played(state: &mut State) -> RequestId {
    state.ask(Aim::Play, |client| client.play("cam", PlayOptions::default())).unwrap()
}

fn said(stream: RequestId, number: usize) -> Event {
    let (code, description) = (String::new(), number.to_string());
    let status = Status { stream_id: 1, level: Level::Status, code, description };
    Event::Status { stream: Some(stream), status: Box::new(status) }
}

fn noop() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

#[test]
fn an_answer_that_is_taken_out_of_a_full_inbox_makes_room() {
    let mut state = state();
    let stream = played(&mut state);
    for number in 0..EVENTS_MAX {
        state.dispatch(Event::Begun(stream));
        assert!(!state.is_full(), "{number}");
    }
    state.dispatch(Event::Playing(stream));
    assert!(state.is_full());
    let wakes = Arc::new(Wakes::default());
    let driver = Waker::from(Arc::clone(&wakes));
    state.driven_by(&Context::from_waker(&driver));
    std::mem::take(&mut state.due).settle();
    assert_eq!(wakes.0.load(Ordering::Relaxed), 0);

    assert!(matches!(state.poll_answer(stream, &mut noop()), Poll::Ready(Ok(()))));
    std::mem::take(&mut state.due).settle();
    assert_eq!(wakes.0.load(Ordering::Relaxed), 1, "the driver reads again");
}

#[test]
fn statuses_that_a_publisher_does_not_take_stop_nobody() {
    let mut state = state();
    let stream = published(&mut state);
    state.dispatch(Event::Publishing(stream));
    for number in 0..EVENTS_MAX + 100 {
        state.dispatch(said(stream, number));
        assert!(!state.is_full(), "{number}");
    }
    let refusal = Refusal {
        stream: Some(stream),
        aim: Aim::Publish,
        code: "NetStream.Publish.Denied".to_owned(),
        description: String::new(),
        redirect: None,
    };
    state.dispatch(Event::Refused(Box::new(refusal)));
    assert!(matches!(state.poll_answer(stream, &mut noop()), Poll::Ready(Ok(()))));
    let mut numbers = Vec::new();
    let end = loop {
        match state.poll_next(stream, &mut noop()) {
            Poll::Ready(Ok(Some(Event::Status { status, .. }))) => {
                numbers.push(status.description.parse::<usize>().unwrap());
            }
            Poll::Ready(end) => break end,
            Poll::Pending => panic!("the end was dropped"),
        }
    };
    assert!(matches!(end, Err(Error::Refused(_))), "{end:?}");
    // The newest are there, without a hole.
    let oldest = numbers[0];
    assert!((100..110).contains(&oldest), "{oldest}");
    assert_eq!(numbers, (oldest..EVENTS_MAX + 100).collect::<Vec<_>>());
}

#[test]
fn statuses_without_end_are_no_answer_to_a_publish() {
    let mut state = state();
    let stream = published(&mut state);
    for number in 0..EVENTS_MAX + 100 {
        state.dispatch(said(stream, number));
    }
    let answer = state.poll_answer(stream, &mut noop());
    assert!(matches!(answer, Poll::Ready(Err(Error::Flooded { aim: Aim::Publish }))));
}
