//! What the application is asked and told: requests, answers that come now or later, what its
//! sessions hear, and what it wants done through their handles.
//!
//! Each call into the application is taken in a boundary of its own: a panic in it ends the session
//! that it was for, and nothing else.

use super::connection::report;
use super::inbox::{Mail, Outcome};
use super::runtime::contained;
use super::state::{Asked, Connection, Sockets, State, What};
use super::tasks::Shard;
use crate::egress::rtmp::message;
use crate::hook::{
    Admission, Answer, Decision, Ended, Errand, Peer, Rejection, Reply, Request, Session,
    SessionHandle, Totals,
};
use crate::moment::Moment;
use crate::name::StreamName;
use crate::pull::route::{self, Route};
use crate::slots::Key;
use crate::stats::Refusal;
use millstream_rtmp::message::{Message, MessageType};
use millstream_rtmp::server::{Connect, Play, Publish};
use millstream_rtmp::session::{Data, RequestId};
use std::rc::Rc;
use std::sync::Arc;

impl Shard {
    /// Calls a connection's session, if it has one. Nothing comes of a call that panics but the end of
    /// the connection.
    pub(super) fn call<T>(
        &self,
        connection: &mut Connection,
        key: Key,
        now: Moment,
        call: impl FnOnce(&mut dyn Session) -> T,
    ) -> Option<T> {
        let session = connection.session.as_deref_mut()?;
        let result = contained(|| call(session));
        if result.is_none() {
            self.panicked();
            let session = connection.session.take();
            if contained(|| drop(session)).is_none() {
                self.panicked();
            }
            self.begin_closing(connection, key, "application-fault", now);
        }
        result
    }

    pub(super) fn connect_asked(
        self: &Rc<Self>,
        state: &mut State,
        key: Key,
        connect: Connect,
        now: Moment,
    ) {
        let Some(connection) = state.connections.at_mut(key) else { return };
        let asked =
            Asked { request: connect.request, stream_id: 0, since: now, what: What::Connect };
        match connect.properties.get_str(route::PROPERTY).map(Route::read) {
            Some(Ok(route)) => connection.route = Some(Box::new(route)),
            Some(Err(error)) => {
                let refused = Err(Rejection::new(error.name(), error.to_string()));
                return self.connect_decided(state, key, asked, refused, now);
            }
            None => {}
        }
        let peer = Arc::new(Peer {
            connection: connection.number,
            address: connection.address,
            app: connect.app,
            query: connect.app_query,
            tc_url: connect.tc_url,
            flash_ver: connect.flash_ver,
        });
        connection.peer = Some(Arc::clone(&peer));
        let post = self.common.posts[self.index].clone();
        let handle = SessionHandle::new(key, connection.number, post);
        let mut defer = || self.reply(key, asked.request, Outcome::Connect);
        let application = &self.common.application;
        match contained(|| application.connect(&peer, &handle, &mut defer)) {
            Some(Answer::Now(decision)) => self.connect_decided(state, key, asked, decision, now),
            Some(Answer::Later) => connection.asked.push(asked),
            None => {
                self.panicked();
                self.begin_closing(connection, key, "application-fault", now);
            }
        }
    }

    pub(super) fn connect_decided(
        self: &Rc<Self>,
        state: &mut State,
        key: Key,
        asked: Asked,
        decision: Decision<Admission>,
        now: Moment,
    ) {
        let Some(connection) = state.connections.at_mut(key) else { return };
        let answered = match decision {
            Ok(admission) => {
                connection.session = Some(admission.session);
                connection.heard = admission.hears_media;
                connection.protocol.accept_connect(asked.request)
            }
            Err(rejection) => {
                self.stats.refuse(Refusal::Hook);
                self.begin_closing(connection, key, rejection.name, now);
                match rejection.elsewhere() {
                    Some(url) => connection.protocol.redirect_connect(asked.request, url),
                    None => {
                        let rejection =
                            millstream_rtmp::session::Rejection::connect(rejection.words());
                        connection.protocol.reject_connect(asked.request, &rejection)
                    }
                }
            }
        };
        report(answered);
    }

    pub(super) fn publish_asked(
        self: &Rc<Self>,
        state: &mut State,
        key: Key,
        publish: Publish,
        now: Moment,
    ) {
        let Publish { request, stream_id, name, query, .. } = publish;
        let Some(connection) = state.connections.at_mut(key) else { return };
        let Some(peer) = &connection.peer else { return };
        let wish = Request { peer: Arc::clone(peer), name, query };
        let asked = Asked { request, stream_id, since: now, what: What::Publish };
        let mut defer = || self.reply(key, request, Outcome::Publish);
        let answer = self.call(connection, key, now, |session| session.publish(&wish, &mut defer));
        match answer {
            Some(Answer::Now(decision)) => self.publish_decided(state, key, asked, decision, now),
            Some(Answer::Later) => connection.asked.push(asked),
            None => {}
        }
    }

    pub(super) fn play_asked(
        self: &Rc<Self>,
        state: &mut State,
        key: Key,
        play: Play,
        now: Moment,
    ) {
        let Play { request, stream_id, name, query, .. } = play;
        let Some(connection) = state.connections.at_mut(key) else { return };
        let Some(peer) = &connection.peer else { return };
        let wish = Request { peer: Arc::clone(peer), name, query };
        let asked = Asked { request, stream_id, since: now, what: What::Play };
        let mut defer = || self.reply(key, request, Outcome::Play);
        let answer = self.call(connection, key, now, |session| session.play(&wish, &mut defer));
        match answer {
            Some(Answer::Now(decision)) => self.play_decided(state, key, asked, decision, now),
            Some(Answer::Later) => connection.asked.push(asked),
            None => {}
        }
    }

    /// Asks a peer that is refused to connect elsewhere, where the application says so.
    pub(super) fn send_elsewhere(&self, connection: &mut Connection, rejection: &Rejection) {
        if let Some(url) = rejection.elsewhere() {
            report(connection.protocol.request_reconnect(Some(url), rejection.words()));
        }
    }

    /// The way back of an answer that is given later, from any thread.
    fn reply<T: Send + 'static>(
        &self,
        connection: Key,
        request: RequestId,
        outcome: fn(Decision<T>) -> Outcome,
    ) -> Reply<T> {
        let post = self.common.posts[self.index].clone();
        Reply::new(move |decision| {
            let mail = Mail::Decided { connection, request, outcome: outcome(decision) };
            // With a full inbox the answer is lost, and the request runs into its deadline.
            let _ = post.send(mail);
        })
    }

    /// An answer that was given later.
    pub(super) fn decided(self: &Rc<Self>, key: Key, request: RequestId, outcome: Outcome) {
        let now = self.now();
        let mut state = self.state.borrow_mut();
        let Some(connection) = state.connections.at_mut(key) else { return };
        // An answer that comes after its time, or twice, finds nothing.
        let Some(at) = connection.asked.iter().position(|asked| asked.request == request) else {
            return;
        };
        let asked = connection.asked.swap_remove(at);
        if connection.closing.is_some() {
            return;
        }
        match outcome {
            Outcome::Connect(decision) => {
                self.connect_decided(&mut state, key, asked, decision, now);
            }
            Outcome::Publish(decision) => {
                self.publish_decided(&mut state, key, asked, decision, now);
            }
            Outcome::Play(decision) => self.play_decided(&mut state, key, asked, decision, now),
        }
        self.pump(&mut state, key, &[], now);
        self.settle(&mut state, now);
    }

    /// Refuses what the application did not answer in time.
    pub(super) fn expire_questions(self: &Rc<Self>, state: &mut State, key: Key, now: Moment) {
        loop {
            let Some(connection) = state.connections.at_mut(key) else { return };
            let late = connection
                .asked
                .iter()
                .position(|asked| now.since(asked.since) >= crate::limits::ANSWER_MAX);
            let Some(at) = late else { return };
            let asked = connection.asked.swap_remove(at);
            let rejection = Rejection::new("no-answer", "the application did not answer in time");
            match asked.what {
                What::Connect => self.connect_decided(state, key, asked, Err(rejection), now),
                What::Publish => self.publish_decided(state, key, asked, Err(rejection), now),
                What::Play => self.play_decided(state, key, asked, Err(rejection), now),
            }
            self.send_output(state, key, now);
        }
    }

    /// Hands a message of media to a session that hears it.
    pub(super) fn hear_media(
        &self,
        connection: &mut Connection,
        key: Key,
        stream: &StreamName,
        message: &Message,
        now: Moment,
    ) {
        self.call(connection, key, now, |session| match message.kind {
            MessageType::AUDIO => session.audio(stream, message),
            _ => session.video(stream, message),
        });
    }

    /// Hands a data message to a session that hears them.
    pub(super) fn hear_data(
        &self,
        connection: &mut Connection,
        key: Key,
        stream: &StreamName,
        data: &Data,
        now: Moment,
    ) {
        self.call(connection, key, now, |session| match data.name.as_str() {
            "onMetaData" => session.metadata(stream, data),
            _ => session.data(stream, data),
        });
    }

    /// Tells a session that it publishes a stream no longer.
    pub(super) fn tell_finished(
        &self,
        state: &mut State,
        key: Key,
        stream: &StreamName,
        now: Moment,
    ) {
        if let Some(connection) = state.connections.at_mut(key) {
            self.call(connection, key, now, |session| session.publish_finished(stream));
        }
    }

    /// Tells a session of its bytes, if there are new ones.
    pub(super) fn tell_totals(&self, state: &mut State, key: Key, now: Moment) {
        let State { connections, fanout, .. } = state;
        let Some(connection) = connections.at_mut(key) else { return };
        let sent = fanout.outlet(connection.outlet).map_or(0, |outlet| outlet.stats.bytes_sent);
        let totals = Totals { received: connection.protocol.bytes_received(), sent };
        if totals != connection.told {
            connection.told = totals;
            self.call(connection, key, now, |session| session.totals(totals));
        }
    }

    /// Sends a ping.
    pub(super) fn ping(&self, connection: &mut Connection, key: Key, now: Moment) {
        let timestamp = now.as_ms() as u32; // RTMP counts modulo 2^32
        connection.last_ping = now;
        connection.pinged = Some((timestamp, now));
        connection.protocol.ping(timestamp);
        self.call(connection, key, now, |session| session.pinged());
    }

    /// The answer to a ping.
    pub(super) fn ponged(
        &self,
        connection: &mut Connection,
        key: Key,
        timestamp: u32,
        now: Moment,
    ) {
        // Only the newest one is asked about; an answer to none is the peer's own affair.
        if let Some((asked, since)) = connection.pinged
            && asked == timestamp
        {
            connection.pinged = None;
            self.call(connection, key, now, |session| session.answered_ping(now.since(since)));
        }
    }

    /// Does what somebody wants done through a session's handle.
    pub(super) fn run_errand(self: &Rc<Self>, key: Key, errand: Errand) {
        let now = self.now();
        let mut state = self.state.borrow_mut();
        let state = &mut *state;
        let Some(connection) = state.connections.at_mut(key) else { return };
        if connection.closing.is_some() {
            return;
        }
        match errand {
            // Its chunk size is announced with the answer to `connect`.
            Errand::Send { .. } if !connection.protocol.is_connected() => {}
            Errand::Send { carrier, timestamp, payload } => {
                let stream_id = connection.play.as_ref().map_or(1, |play| play.stream_id);
                let chunk_size = self.common.options.chunk_size;
                let bytes = message(carrier, timestamp, stream_id, &payload, chunk_size);
                let State { fanout, sockets, .. } = state;
                fanout.write(connection.outlet, &bytes);
                let mut sink = Sockets { ways: sockets, stats: &self.stats };
                fanout.turn(connection.outlet, &mut sink, now);
            }
            Errand::Ping => self.ping(connection, key, now),
            Errand::Message(message) => {
                self.call(connection, key, now, |session| session.message(message));
            }
            Errand::Close(reason) => self.begin_closing(connection, key, reason, now),
        }
        self.send_output(state, key, now);
        self.settle(state, now);
    }

    /// Tells a session, whose connection is out of the tables, what ended with it.
    pub(super) fn take_leave(
        &self,
        connection: &mut Connection,
        published: &[StreamName],
        ended: &Ended<'_>,
    ) {
        let Some(mut session) = connection.session.take() else { return };
        let told = contained(move || {
            published.iter().for_each(|stream| session.publish_finished(stream));
            session.disconnected(ended);
        });
        if told.is_none() {
            self.panicked();
        }
    }
}
