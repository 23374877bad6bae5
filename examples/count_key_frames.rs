//! A server that looks at media: it says how many key frames each publisher sent, and how far apart
//! they were, once he has ended.
//!
//! ```text
//! cargo run --release --example count_key_frames -- 127.0.0.1:1935
//! ffmpeg -re -i film.mp4 -t 10 -c copy -f flv rtmp://127.0.0.1:1935/live/film
//! ```
//!
//! Media is handed to sessions that ask for it. They see every message on the way to the viewers and
//! hold none up: what takes longer than a look belongs into another thread, by a channel.

use millstream::config::Config;
use millstream::hook::{Admission, Answer, Application, Defer, Peer, Session, SessionHandle};
use millstream::name::StreamName;
use millstream::server::Server;
use millstream_flv::video::VideoHeader;
use millstream_rtmp::message::Message;
use std::error::Error;
use std::sync::Arc;

struct Counting;

impl Application for Counting {
    fn connect(
        &self,
        _peer: &Arc<Peer>,
        _session: &SessionHandle,
        _defer: Defer<'_, Admission>,
    ) -> Answer<Admission> {
        Answer::accept(Admission::new(Counter::default()).hearing_media())
    }
}

/// What was seen of one publisher.
#[derive(Default)]
struct Counter {
    pictures: u64,
    key_frames: u64,
    /// When the newest key frame was, and the widest gap between two, milliseconds.
    newest: Option<u32>,
    widest: u32,
}

impl Session for Counter {
    fn video(&mut self, _stream: &StreamName, message: &Message) {
        let Ok(header) = VideoHeader::parse(&message.payload) else { return };
        if !header.is_coded() {
            // The decoder's configuration, and other things that are no picture.
            return;
        }
        self.pictures += 1;
        if header.is_key_frame() {
            self.key_frames += 1;
            let gap = self.newest.map_or(0, |newest| message.timestamp.wrapping_sub(newest));
            self.widest = self.widest.max(gap);
            self.newest = Some(message.timestamp);
        }
    }

    fn publish_finished(&mut self, stream: &StreamName) {
        let Self { pictures, key_frames, widest, .. } = std::mem::take(self);
        println!(
            "{stream}: {key_frames} key frames of {pictures} pictures, {widest} ms apart at most"
        );
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:1935".into());
    let config = Config { rtmp: vec![address.parse()?], open: true, ..Config::default() };
    let server = Server::start(config, Arc::new(Counting))?;
    println!("publish to rtmp://{}/live/NAME", server.rtmp()[0]);
    server.join();
    Ok(())
}
