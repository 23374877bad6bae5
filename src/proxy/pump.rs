//! One client and its targets, on one thread: waits for their sockets, moves bytes between them and
//! the session, and stops reading where the session says that enough waits. What the bytes mean is
//! the affair of `session`.

use super::dial::{Dialled, dial};
use super::link::{self, Got, Link};
use super::session::{End, Loss, Session, UpstreamId};
use crate::limits;
use crate::shard::bell::Bell;
use bytes::{Buf, BytesMut};
use millstream_client::RtmpUrl;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustls::ClientConfig;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

/// What all sessions of a proxy have in common.
pub(super) struct Surroundings<'a> {
    /// For `rtmps` targets.
    pub(super) tls: Option<Arc<ClientConfig>>,
    /// Where the proxy itself listens.
    pub(super) own: Arc<[SocketAddr]>,
    /// Set when all is to end.
    pub(super) stop: &'a AtomicBool,
}

/// The sockets of one session.
pub(super) struct Pump<'a> {
    around: &'a Surroundings<'a>,
    session: Session,
    client: Link,
    targets: Vec<(UpstreamId, Link)>,
    /// URLs of what is being dialled.
    dialling: Vec<(UpstreamId, RtmpUrl)>,
    answers: (Sender<Dialled>, Receiver<Dialled>),
    bell: Arc<Bell>,
    buffer: Box<[u8]>,
}

impl<'a> Pump<'a> {
    /// A client's connection.
    ///
    /// # Errors
    /// If the system gives no descriptor.
    pub(super) fn new(
        around: &'a Surroundings<'a>,
        session: Session,
        client: Link,
    ) -> io::Result<Self> {
        Ok(Self {
            around,
            session,
            client,
            targets: Vec::new(),
            dialling: Vec::new(),
            answers: channel(),
            bell: Arc::new(Bell::new()?),
            buffer: vec![0; limits::READ_BUFFER].into(),
        })
    }

    /// Serves the client to its end. `opened` is called once when it has connected.
    pub(super) fn run(mut self, opened: impl FnOnce()) -> End {
        let mut opened = Some(opened);
        loop {
            let now = Instant::now();
            if self.around.stop.load(Ordering::Relaxed) {
                self.session.finish(End::Stopped);
            }
            self.session.tick(now);
            self.answered(now);
            self.dial(now);
            self.write(now);
            if self.session.is_connected()
                && let Some(opened) = opened.take()
            {
                opened();
            }
            if let Some(end) = self.session.ended().cloned() {
                self.take_leave(&end);
                return end;
            }
            self.wait(limits::TICK);
            self.read();
        }
    }

    /// Hands on what became of connections that were wanted.
    fn answered(&mut self, now: Instant) {
        while let Ok((id, answer)) = self.answers.1.try_recv() {
            let at = self.dialling.iter().position(|(dialled, _)| *dialled == id);
            let Some((_, url)) = at.map(|at| self.dialling.remove(at)) else { continue };
            let link = answer.and_then(|socket| match (url.is_tls(), &self.around.tls) {
                (true, Some(config)) => Link::encrypted(socket, &url, Arc::clone(config)),
                (true, None) => Err(Loss::Connect(millstream_client::Error::NoTls)),
                (false, _) => {
                    Link::plain(socket).map_err(|error| Loss::Failed(link::errno(&error)))
                }
            });
            match link {
                Ok(link) if self.session.dialled(id, now) => self.targets.push((id, link)),
                Ok(_) => {}
                Err(loss) => self.session.target_lost(id, loss, now),
            }
        }
    }

    fn dial(&mut self, now: Instant) {
        while self.dialling.len() < limits::PROXY_DIALS_MAX
            && let Some((id, url)) = self.session.next_dial(now)
        {
            self.dialling.push((id, url.clone()));
            let (own, bell) = (Arc::clone(&self.around.own), Arc::clone(&self.bell));
            dial(id, url, own, self.answers.0.clone(), bell);
        }
    }

    /// Writes what the sockets have room for, and forgets those whose connection is over.
    fn write(&mut self, now: Instant) {
        match give(&mut self.client, self.session.client_output(), now) {
            Ok(()) => {}
            Err(Stuck::Failed(error)) => self.session.finish(End::Failed(link::errno(&error))),
            Err(Stuck::Stalled) => self.session.finish(End::Stalled),
        }
        let mut at = 0;
        while let Some((id, link)) = self.targets.get_mut(at) {
            let id = *id;
            let given = self.session.target_output(id).map(|out| give(link, out, now));
            let loss = match given {
                Some(Ok(())) => {
                    at += 1;
                    continue;
                }
                Some(Err(Stuck::Stalled)) => Some(Loss::Stalled),
                Some(Err(Stuck::Failed(error))) => Some(link.loss(error)),
                None => None,
            };
            let (_, mut link) = self.targets.remove(at);
            link.close();
            if let Some(loss) = loss {
                self.session.target_lost(id, loss, now);
            }
        }
    }

    /// Waits for whatever the session can go on with, or for `time` to pass.
    fn wait(&mut self, time: Duration) {
        let mut fds = vec![PollFd::new(&*self.bell, PollFlags::IN)];
        let room = !self.session.client_output().is_empty();
        let clients = interest(&self.client, self.session.takes_client(), room);
        if !clients.is_empty() {
            fds.push(PollFd::new(&self.client, clients));
        }
        for (id, link) in &self.targets {
            let room = self.session.target_output(*id).is_some_and(|out| !out.is_empty());
            let flags = interest(link, self.session.takes_target(*id), room);
            if !flags.is_empty() {
                fds.push(PollFd::new(link, flags));
            }
        }
        // A failure means that it was interrupted; the caller looks anyway.
        let _ = poll(&mut fds, Some(&timespec(time)));
        self.bell.silence();
    }

    /// Reads what is there, as far as the session takes it. What a read gave is written before the next.
    fn read(&mut self) {
        for _ in 0..limits::READS_PER_TURN {
            let now = Instant::now();
            let mut any = false;
            if self.session.takes_client() && !self.client.ended {
                match self.client.read(&mut self.buffer) {
                    Ok(Got::Bytes(count)) => {
                        any = true;
                        self.session.client_bytes(&self.buffer[..count], now);
                    }
                    Ok(Got::Nothing) => {}
                    Ok(Got::End) => {
                        self.client.ended = true;
                        self.session.finish(End::Left);
                    }
                    Err(error) => self.session.finish(End::Failed(link::errno(&error))),
                }
            }
            for (id, link) in &mut self.targets {
                if !self.session.takes_target(*id) {
                    continue;
                }
                match link.read(&mut self.buffer) {
                    Ok(Got::Bytes(count)) => {
                        any = true;
                        self.session.target_bytes(*id, &self.buffer[..count], now);
                    }
                    Ok(Got::Nothing) => {}
                    Ok(Got::End) => self.session.target_lost(*id, Loss::Closed, now),
                    Err(error) => {
                        let loss = link.loss(error);
                        self.session.target_lost(*id, loss, now);
                    }
                }
            }
            self.write(now);
            if !any || self.session.ended().is_some() {
                return;
            }
        }
    }

    /// Sends what is left to all, closes our sides and waits for theirs, so that nothing is lost to a
    /// reset. A client that is at fault is not waited for.
    fn take_leave(&mut self, end: &End) {
        self.session.close();
        self.client.ended |= end.is_fault();
        let until = Instant::now() + limits::CLOSING_MAX;
        let mut left: Vec<(BytesMut, Link)> = Vec::new();
        for (id, link) in std::mem::take(&mut self.targets) {
            let out = self.session.target_output(id).map(std::mem::take).unwrap_or_default();
            left.push((out, link));
        }
        loop {
            let now = Instant::now();
            let mut waiting =
                step(self.session.client_output(), &mut self.client, &mut self.buffer, now);
            for (out, link) in &mut left {
                waiting |= step(out, link, &mut self.buffer, now);
            }
            if !waiting || now >= until {
                return;
            }
            let mut fds = Vec::new();
            let room = !self.session.client_output().is_empty();
            for (room, link) in std::iter::once((room, &self.client))
                .chain(left.iter().map(|(out, link)| (!out.is_empty(), link)))
            {
                if !link.ended {
                    fds.push(PollFd::new(link, interest(link, true, room)));
                }
            }
            let _ = poll(&mut fds, Some(&timespec(limits::TICK)));
        }
    }
}

/// A step of taking leave of one connection. False when it is over.
fn step(out: &mut BytesMut, link: &mut Link, buffer: &mut [u8], now: Instant) -> bool {
    if give(link, out, now).is_err() {
        return false;
    }
    if out.is_empty() && !link.wants_write() {
        link.close();
    }
    while !link.ended {
        match link.read(buffer) {
            Ok(Got::Bytes(_)) => {}
            Ok(Got::Nothing) => return true,
            Ok(Got::End) | Err(_) => link.ended = true,
        }
    }
    false
}

/// Why a connection takes no more.
enum Stuck {
    Failed(io::Error),
    Stalled,
}

/// Writes what there is room for.
fn give(link: &mut Link, out: &mut BytesMut, now: Instant) -> Result<(), Stuck> {
    let before = out.len();
    // TLS keeps what the socket did not take, and has it taken with the next write, also of nothing.
    while !out.is_empty() || link.wants_write() {
        match link.write(out).map_err(Stuck::Failed)? {
            0 => break,
            count => out.advance(count),
        }
    }
    if (out.is_empty() && !link.wants_write()) || out.len() < before || !link.is_open() {
        link.stuck_since = None;
        return Ok(());
    }
    let since = *link.stuck_since.get_or_insert(now);
    let stalled = now.duration_since(since) >= limits::PROXY_STALLED_MAX;
    if stalled { Err(Stuck::Stalled) } else { Ok(()) }
}

/// What is waited for on a socket. Where it is nothing, the socket is left alone: its end would be told
/// without end.
fn interest(link: &Link, reading: bool, writing: bool) -> PollFlags {
    let mut flags = PollFlags::empty();
    flags.set(PollFlags::IN, reading && !link.ended);
    flags.set(PollFlags::OUT, link.wants_write() || (writing && link.is_open()));
    flags
}

fn timespec(time: Duration) -> Timespec {
    let tv_sec = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    Timespec { tv_sec, tv_nsec: time.subsec_nanos().into() }
}
