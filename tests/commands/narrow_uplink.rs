//! A way up that is too narrow for a while: frames are left out, or wait, as wanted.

use crate::support::*;
use bytes::Bytes;
use millstream_flv::{Tag, TagKind};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::{Duration, Instant};

/// How long the way is narrow, from the first byte on.
const NARROW: Duration = Duration::from_secs(3);

/// A way to a port that takes a megabyte a second at first.
fn narrow_way(to: u16) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let mut server = TcpStream::connect(("127.0.0.1", to)).unwrap();
        let (mut down_from, mut down_to) =
            (server.try_clone().unwrap(), client.try_clone().unwrap());
        std::thread::spawn(move || {
            let _ = std::io::copy(&mut down_from, &mut down_to);
            let _ = down_to.shutdown(Shutdown::Both);
        });
        let (since, mut buffer) = (Instant::now(), vec![0; 50_000]);
        while let Ok(count @ 1..) = client.read(&mut buffer) {
            if server.write_all(&buffer[..count]).is_err() {
                return;
            }
            if since.elapsed() < NARROW {
                std::thread::sleep(Duration::from_millis(50));
            }
        }
        let _ = server.shutdown(Shutdown::Write);
    });
    port
}

/// A film of 4 s whose pictures are so large that sockets cannot hold them: 15 MB a second.
fn large_film() -> Vec<Tag> {
    let mut tags = film(100);
    for tag in tags.iter_mut().filter(|tag| tag.kind == TagKind::Video && tag.payload[1] == 1) {
        let mut payload = tag.payload.to_vec();
        payload.resize(600_000, 7);
        tag.payload = Bytes::from(payload);
    }
    tags
}

#[test]
fn pictures_are_left_out_or_wait() {
    let directory = Directory::new();
    let server = Server::start(&directory, &[]);
    let file = directory.path("source.flv");
    write_flv(&file, &large_film());
    let file = file.to_str().unwrap();
    for (name, wait) in [("skips", false), ("waits", true)] {
        let url = format!("rtmp://127.0.0.1:{}/live/{name}", narrow_way(server.port));
        let published = if wait {
            run(["publish", file, &url, "--json", "--wait"])
        } else {
            run(["publish", file, &url, "--json"])
        };
        assert_eq!(published.code, Some(0), "{}", published.said);
        let last = published.text().lines().last().unwrap();
        let last: serde_json::Value = serde_json::from_str(last).unwrap();
        let skipped = last["uplink"]["skipped_video"].as_u64().unwrap();
        let lag = last["uplink"]["lag_ms_max"].as_u64().unwrap();
        assert_eq!(skipped == 0, wait, "{last}");
        assert!(lag > 500 || !wait, "{last}");
        assert_eq!(published.said.contains("left out"), !wait, "{}", published.said);
    }
}
