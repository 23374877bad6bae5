//! What OBS says to a server that it publishes to, one JSON object a line: the chunk size that it announces
//! and its commands. `tests/commands/transcripts/obs-VERSION.jsonl` was written so:
//!
//! ```text
//! cargo run -p millstream-testkit --example obs_transcript -- target/debug/millstream > FILE
//! ```
//!
//! The server's address is written as `HOST`, so that transcripts can be compared.

use millstream_testkit::clip::Clip;
use millstream_testkit::obs::Obs;
use millstream_testkit::{Driver, Scratch, Server, Target};
use serde_json::{Value, json};
use std::error::Error;
use std::path::PathBuf;
use std::process::Command;

fn main() -> Result<(), Box<dyn Error>> {
    let binary = std::env::args_os().nth(1).map(PathBuf::from).ok_or("name the server's binary")?;
    let binary = binary.canonicalize()?;
    let scratch = Scratch::new("obs-transcript")?;
    let captures = scratch.file("captures");
    let args = vec!["--capture".to_owned(), captures.display().to_string()];
    let target = Target::Millstream { binary: binary.clone(), driver: Driver::Default, args };
    let mut server = Server::start(&scratch, &target)?;
    let mut obs = Obs::start(&scratch, &Clip::H264Aac.path()?, &server.application_url(), "cam")?;
    obs.wait_flowing()?;
    obs.finish()?;
    server.process().terminate()?;
    server.process().wait()?;
    for capture in std::fs::read_dir(&captures)? {
        let listed =
            Command::new(&binary).args(["inspect", "--json"]).arg(capture?.path()).output()?;
        for line in String::from_utf8(listed.stdout)?.lines() {
            let message: Value = serde_json::from_str(line)?;
            if let Some(said) = said(&message) {
                println!("{}", said.to_string().replace(&server.rtmp().to_string(), "HOST"));
            }
        }
    }
    Ok(())
}

/// What of a message stands in a transcript.
fn said(message: &Value) -> Option<Value> {
    let sizes = message["control"].as_str().is_some_and(|text| text.starts_with("SetChunkSize"));
    if message["direction"] != "in" || !(sizes || message["command"].is_object()) {
        return None;
    }
    let what = if sizes { &message["control"] } else { &message["command"] };
    Some(json!({ "stream": message["stream"], "said": what }))
}
