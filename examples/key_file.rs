//! A server whose publishers show a key out of a file, which is read anew for each of them: one line
//! per stream, its name and its key. Everybody may play.
//!
//! ```text
//! echo "live/cam1 correct-horse" > keys.txt
//! cargo run --release --example key_file -- keys.txt 127.0.0.1:1935
//! ffmpeg -re -i film.mp4 -c copy -f flv "rtmp://127.0.0.1:1935/live/cam1?key=correct-horse"
//! ```
//!
//! A file may be slow, and a callback must not block the core that it runs on: so the answer is given
//! later, from another thread. The same way leads to a database or to a web service.

use millstream::config::Config;
use millstream::hook::{
    Admission, Answer, Application, Decision, Defer, MayPublish, Peer, Rejection, Request, Session,
    SessionHandle, stream_of,
};
use millstream::server::Server;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;

struct KeyFile(PathBuf);

impl Application for KeyFile {
    fn connect(
        &self,
        _peer: &Arc<Peer>,
        _session: &SessionHandle,
        _defer: Defer<'_, Admission>,
    ) -> Answer<Admission> {
        Answer::accept(Admission::new(Publisher(self.0.clone())))
    }
}

struct Publisher(PathBuf);

impl Session for Publisher {
    fn publish(&mut self, request: &Request, defer: Defer<'_, MayPublish>) -> Answer<MayPublish> {
        let (file, request, reply) = (self.0.clone(), request.clone(), defer());
        std::thread::spawn(move || reply.send(check(&file, &request)));
        Answer::Later
    }
}

fn check(file: &Path, request: &Request) -> Decision<MayPublish> {
    let stream = stream_of(request)?;
    let keys = std::fs::read_to_string(file)
        .map_err(|_| Rejection::new("key-file", "the keys cannot be read now; try again later"))?;
    let query = request.query.as_deref().unwrap_or_default();
    let shown = query.split('&').find_map(|part| part.strip_prefix("key="));
    let wanted = keys.lines().find_map(|line| {
        let (name, key) = line.split_once(' ')?;
        (name == stream.as_str()).then_some(key.trim())
    });
    match (wanted, shown) {
        (Some(wanted), Some(shown)) if wanted == shown => Ok(MayPublish::new(stream)),
        (_, None) => Err(Rejection::new("key-missing", "add ?key=... to the stream's name")),
        _ => Err(Rejection::new("key-wrong", "this is not the key of this stream")),
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().ok_or("usage: key_file FILE [ADDRESS]")?;
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:1935".into());
    let config = Config { rtmp: vec![address.parse()?], open: true, ..Config::default() };
    let server = Server::start(config, Arc::new(KeyFile(file.into())))?;
    println!("publish to rtmp://{}/live/NAME?key=KEY", server.rtmp()[0]);
    server.join();
    Ok(())
}
