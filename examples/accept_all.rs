//! A server for everybody: whoever comes may publish and play anything under any name.
//!
//! ```text
//! cargo run --release --example accept_all -- 127.0.0.1:1935
//! ffmpeg -re -i film.mp4 -c copy -f flv rtmp://127.0.0.1:1935/live/film
//! ffplay rtmp://127.0.0.1:1935/live/film
//! ```

use millstream::config::Config;
use millstream::hook::Application;
use millstream::server::Server;
use std::error::Error;
use std::sync::Arc;

struct AcceptAll;

// Every request has a default, which is to accept it.
impl Application for AcceptAll {}

fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:1935".into());
    // Away from loopback a server without keys has to be wanted: `open` says that it is.
    let config = Config { rtmp: vec![address.parse()?], open: true, ..Config::default() };
    let server = Server::start(config, Arc::new(AcceptAll))?;
    println!("publish to and play from rtmp://{}/live/NAME", server.rtmp()[0]);
    server.join();
    Ok(())
}
