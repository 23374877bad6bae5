//! An application that lets everybody do everything, and writes down what it hears.

use millstream::hook::{
    Admission, Answer, Application, Defer, Ended, Peer, Session, SessionHandle, Totals,
};
use millstream::name::StreamName;
use millstream_rtmp::message::Message;
use millstream_rtmp::server::UnknownCommand;
use millstream_rtmp::session::Data;
use std::any::Any;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// What was heard, and the handles of all sessions in the order in which they came.
#[derive(Clone, Default)]
pub struct Listener {
    heard: Arc<Mutex<Vec<String>>>,
    handles: Arc<Mutex<Vec<SessionHandle>>>,
}

impl Listener {
    fn note(&self, what: impl Into<String>) {
        self.heard.lock().expect("nobody panics with it").push(what.into());
    }

    pub fn heard(&self) -> Vec<String> {
        self.heard.lock().expect("nobody panics with it").clone()
    }

    /// Waits until something was heard that begins so.
    pub fn until(&self, begins: &str) {
        self.until_so(|heard| heard.iter().any(|what| what.starts_with(begins)));
    }

    /// Waits until this holds of what was heard.
    pub fn until_so(&self, holds: impl Fn(&[String]) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while Instant::now() < deadline {
            if holds(&self.heard()) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("it was not heard: {:?}", self.heard());
    }

    pub fn handle(&self, at: usize) -> SessionHandle {
        self.handles.lock().expect("nobody panics with it")[at].clone()
    }
}

impl Application for Listener {
    fn connect(
        &self,
        peer: &Arc<Peer>,
        session: &SessionHandle,
        _: Defer<'_, Admission>,
    ) -> Answer<Admission> {
        assert_eq!(peer.connection, session.number());
        self.handles.lock().expect("nobody panics with it").push(session.clone());
        let admission = Admission::new(Ear(self.clone()));
        // Media of one application is heard, that of others is not.
        Answer::accept(if peer.app == "heard" { admission.hearing_media() } else { admission })
    }
}

struct Ear(Listener);

impl Session for Ear {
    fn publish_started(&mut self, stream: &StreamName) {
        self.0.note(format!("publish started {stream}"));
    }

    fn play_started(&mut self, stream: &StreamName) {
        self.0.note(format!("play started {stream}"));
    }

    fn publish_finished(&mut self, stream: &StreamName) {
        self.0.note(format!("publish finished {stream}"));
    }

    fn play_finished(&mut self, stream: &StreamName) {
        self.0.note(format!("play finished {stream}"));
    }

    fn metadata(&mut self, stream: &StreamName, data: &Data) {
        self.0.note(format!("metadata {stream} {}", data.name));
    }

    fn data(&mut self, stream: &StreamName, data: &Data) {
        self.0.note(format!("data {stream} {}", data.name));
    }

    fn audio(&mut self, stream: &StreamName, message: &Message) {
        self.0.note(format!("audio {stream} {} {:?}", message.timestamp, &message.payload[..]));
    }

    fn video(&mut self, stream: &StreamName, message: &Message) {
        self.0.note(format!("video {stream} {} {:?}", message.timestamp, &message.payload[..]));
    }

    fn totals(&mut self, totals: Totals) {
        self.0.note(format!("totals {}", totals.received > 3072 && totals.sent > 3072));
    }

    fn acknowledged(&mut self, bytes: u32) {
        self.0.note(format!("acknowledged {bytes}"));
    }

    fn pinged(&mut self) {
        self.0.note("pinged");
    }

    fn answered_ping(&mut self, round_trip: Duration) {
        self.0.note(format!("answered {}", round_trip < Duration::from_secs(5)));
    }

    fn unknown_command(&mut self, command: &UnknownCommand) {
        self.0.note(format!("command {}", command.name));
    }

    fn message(&mut self, message: Box<dyn Any + Send>) {
        let text = message.downcast::<String>().expect("the tests send texts");
        assert_ne!(*text, "panic", "as asked");
        self.0.note(format!("message {text}"));
    }

    fn disconnected(&mut self, ended: &Ended<'_>) {
        assert!(ended.totals.received > 3072 && ended.lasted > Duration::ZERO);
        self.0.note(format!("disconnected {}", ended.reason));
    }
}
