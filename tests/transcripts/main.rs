//! What our publisher says, held against what OBS says: the order of the commands, their arguments,
//! the fields of `connect` and the chunk size. The transcripts are captured by `capture.sh`, one for
//! each version; where we differ from them, the reason stands here.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod transcript;

use bytes::Bytes;
use millstream_amf0::Object;
use millstream_client::{Client, Event, Options, PublishMode, RtmpUrl};
use millstream_rtmp::connection::ServerConnection;
use millstream_rtmp::server::{ServerEvent, ServerOptions};
use std::fs;
use std::path::Path;
use transcript::transcript;

/// What OBS says in `connect` and we do not, and why.
const LEFT_OUT: [(&str, &str); 1] = [(
    "supportsGoAway",
    "a message of one service by which it asks for another connection; we would not follow it",
)];

/// What we say in `connect` and OBS does not, and why.
const ADDED: [(&str, &str); 1] =
    [("fourCcList", "Enhanced RTMP: that we relay any codec, which servers without it pass over")];

// Besides: OBS sends `publish` and all media on chunk stream 4. Ours goes out on chunk streams of its
// own for sound, pictures and data, so that each has headers to be short against; servers put messages
// together by chunk stream, whatever its number (RTMP 1.0, section 5.3). The numbers are not compared.
// Nor is what the metadata says, which is the encoder's.

/// One line of a transcript.
#[derive(Debug, PartialEq)]
struct Line {
    /// The message stream.
    stream: String,
    name: String,
    rest: String,
}

/// The lines that are compared: commands and the chunk size.
fn lines(transcript: &str) -> Vec<Line> {
    let places = transcript.lines().filter_map(|line| line.split_once(' '));
    let said = places.filter_map(|(place, said)| Some((place.split_once('/')?.1, said)));
    let lines = said.map(|(stream, said)| {
        let (name, rest) = said.split_once(' ').unwrap_or((said, ""));
        Line { stream: stream.to_owned(), name: name.to_owned(), rest: rest.to_owned() }
    });
    lines.filter(|line| !["data", "audio", "video"].contains(&line.name.as_str())).collect()
}

/// The fields of a `connect`, in order, and the transaction before them.
fn fields(line: &Line) -> (String, Vec<(String, String)>) {
    let (transaction, object) = line.rest.split_once(' ').unwrap();
    let object = object.strip_prefix('{').unwrap().strip_suffix('}').unwrap();
    let fields = object.split(", ").map(|field| {
        let (name, value) = field.split_once(": ").unwrap();
        (name.to_owned(), value.to_owned())
    });
    (transaction.to_owned(), fields.collect())
}

/// What our publisher says to a server that accepts it.
fn said_by_us(url: &str) -> String {
    let url = RtmpUrl::parse(url).unwrap();
    let mut client = Client::new(Options::for_publishing(&url)).unwrap();
    let mut server = ServerConnection::new(&ServerOptions::default(), [1; 32]);
    let stream = client.publish(&url.name(), PublishMode::Live).unwrap();
    let mut said = Vec::new();
    let mut talk = |client: &mut Client| {
        let mut events = Vec::new();
        loop {
            let bytes = client.outgoing().to_vec();
            client.sent(bytes.len());
            let mut input = &bytes[..];
            while let Some(event) = server.receive(&mut input).unwrap() {
                match event {
                    ServerEvent::Connect(it) => server.accept_connect(it.request).unwrap(),
                    ServerEvent::Publish(it) => server.accept_publish(it.request).unwrap(),
                    _ => {}
                }
            }
            said.extend(bytes);
            let answers = server.output().split();
            let mut input = &answers[..];
            while let Some(event) = client.receive(&mut input).unwrap() {
                events.push(event);
            }
            if answers.is_empty() && client.outgoing().is_empty() {
                return events;
            }
        }
    };
    let events = talk(&mut client);
    assert!(events.contains(&Event::Publishing(stream)), "{events:?}");
    client.metadata(stream, 0, Object::new().with("width", 640.0)).unwrap();
    client.audio(stream, 0, Bytes::from_static(b"\xaf\0\x11\x90")).unwrap();
    client.video(stream, 0, Bytes::from_static(b"\x17\0\0\0\0\x01")).unwrap();
    client.video(stream, 0, Bytes::from_static(b"\x17\x01\0\0\0key")).unwrap();
    client.finish();
    talk(&mut client);
    transcript(&said)
}

#[test]
fn our_publisher_says_what_obs_says_in_its_order() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    let ours = said_by_us("rtmp://127.0.0.1/live/obs");
    let mut versions = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "txt") {
            continue;
        }
        versions += 1;
        let theirs = fs::read_to_string(&path).unwrap();
        assert_eq!(ours.lines().next(), theirs.lines().next(), "the handshake");
        let (ours, theirs) = (lines(&ours), lines(&theirs));
        let names = |lines: &[Line]| -> Vec<String> {
            lines.iter().map(|line| format!("{}/{}", line.stream, line.name)).collect()
        };
        assert_eq!(names(&ours), names(&theirs), "{}", path.display());
        for (ours, theirs) in ours.iter().zip(&theirs) {
            if ours.name == "connect" {
                compare_connect(ours, theirs);
            } else {
                assert_eq!(ours, theirs, "{}", path.display());
            }
        }
    }
    assert!(versions > 0, "there is no transcript; capture.sh makes one");
}

/// In the order of OBS, what is left out and added apart.
fn compare_connect(ours: &Line, theirs: &Line) {
    let ((ours_transaction, mut ours), (transaction, mut theirs)) = (fields(ours), fields(theirs));
    assert_eq!(ours_transaction, transaction);
    for (name, reason) in LEFT_OUT {
        assert!(!ours.iter().any(|(known, _)| known == name), "{name} is said: {reason}");
        theirs.retain(|(known, _)| known != name);
    }
    for (name, reason) in ADDED {
        assert!(!theirs.iter().any(|(known, _)| known == name), "OBS says {name} too: {reason}");
        ours.retain(|(known, _)| known != name);
    }
    assert_eq!(ours, theirs);
}
