//! A server whose publishers know one name and whose viewers know another: what is published to
//! `ingest/NAME` is played from `live/NAME`, and nothing else may be published.
//!
//! ```text
//! cargo run --release --example rewrite_names -- 127.0.0.1:1935
//! ffmpeg -re -i film.mp4 -c copy -f flv rtmp://127.0.0.1:1935/ingest/film
//! ffplay rtmp://127.0.0.1:1935/live/film
//! ```

use millstream::config::Config;
use millstream::hook::{
    Admission, Answer, Application, Defer, MayPublish, Peer, Request, Session, SessionHandle,
};
use millstream::name::StreamName;
use millstream::server::Server;
use std::error::Error;
use std::sync::Arc;

struct Rewrite;

impl Application for Rewrite {
    fn connect(
        &self,
        _peer: &Arc<Peer>,
        _session: &SessionHandle,
        _defer: Defer<'_, Admission>,
    ) -> Answer<Admission> {
        Answer::accept(Admission::new(Guest))
    }
}

struct Guest;

impl Session for Guest {
    fn publish(&mut self, request: &Request, _defer: Defer<'_, MayPublish>) -> Answer<MayPublish> {
        if request.peer.app != "ingest" {
            return Answer::reject("wrong-application", "publish to the application ingest");
        }
        match StreamName::new("live", &request.name) {
            Ok(stream) => Answer::accept(MayPublish::new(stream)),
            Err(error) => Answer::reject("name", error.to_string()),
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:1935".into());
    let config = Config { rtmp: vec![address.parse()?], open: true, ..Config::default() };
    let server = Server::start(config, Arc::new(Rewrite))?;
    println!("publish to rtmp://{0}/ingest/NAME, play rtmp://{0}/live/NAME", server.rtmp()[0]);
    server.join();
    Ok(())
}
