//! What millstream says of its own shards: pacing window and busy share, from `/api/v1/shards`.

use serde::Deserialize;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// An answer longer than this is not read: a machine has not that many cores.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// One shard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Shard {
    /// Pacing window in milliseconds.
    pub pacing_window_ms: u64,
    /// Busy share, in thousandths.
    pub busy_permille: u64,
    /// Send calls.
    pub sends: u64,
}

/// The widest window of any shard.
pub fn widest_window_ms(shards: &[Shard]) -> Option<u64> {
    shards.iter().map(|shard| shard.pacing_window_ms).max()
}

#[derive(Deserialize)]
struct Answer {
    shards: Vec<Shard>,
}

/// Asks for all shards.
///
/// # Errors
/// If nobody answers within a second, or not what is expected.
pub fn shards(http: &str) -> io::Result<Vec<Shard>> {
    let address: SocketAddr = http.parse().map_err(io::Error::other)?;
    let (asked, second) = (Instant::now(), Duration::from_secs(1));
    let mut stream = TcpStream::connect_timeout(&address, second)?;
    stream.set_write_timeout(Some(second))?;
    write!(stream, "GET /api/v1/shards HTTP/1.0\r\nHost: {http}\r\nConnection: close\r\n\r\n")?;
    let (mut answer, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        // In all: one that answers byte by byte does not keep the run waiting either.
        let left = second.saturating_sub(asked.elapsed());
        if left.is_zero() || answer.len() > ANSWER_BYTES_MAX {
            return Err(io::ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(&mut buffer)? {
            0 => break,
            count => answer.extend_from_slice(&buffer[..count]),
        }
    }
    let answer = String::from_utf8_lossy(&answer);
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let answer: Answer = serde_json::from_str(body)?;
    Ok(answer.shards)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    /// Somebody who answers the first to ask with these bytes, one by one.
    fn answers(bytes: &'static [u8], pause: Duration) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        std::thread::spawn(move || {
            let (mut socket, _) = listener.accept().unwrap();
            assert!(socket.read(&mut [0; 1000]).unwrap() > 0);
            for byte in bytes {
                std::thread::sleep(pause);
                if socket.write_all(&[*byte]).is_err() {
                    break;
                }
            }
        });
        address
    }

    #[test]
    fn an_answer_is_read_and_one_that_takes_for_ever_is_not_waited_for() {
        let body = b"HTTP/1.0 200 OK\r\n\r\n{\"shards\":[{\"pacing_window_ms\":7,\"busy_permille\":1,\"sends\":2}]}";
        let shards = shards(&answers(body, Duration::ZERO)).unwrap();
        assert_eq!(widest_window_ms(&shards), Some(7));
        let asked = Instant::now();
        assert!(super::shards(&answers(&[b' '; 100], Duration::from_millis(100))).is_err());
        assert!(asked.elapsed() < Duration::from_secs(5));
    }
}
