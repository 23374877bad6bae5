//! What millstream says of its own shards: pacing window and busy share, from `/api/v1/shards`.

use serde::Deserialize;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

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
    let second = Duration::from_secs(1);
    let mut stream = TcpStream::connect_timeout(&address, second)?;
    stream.set_read_timeout(Some(second))?;
    write!(stream, "GET /api/v1/shards HTTP/1.0\r\nHost: {http}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.take(1 << 20).read_to_string(&mut answer)?;
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let answer: Answer = serde_json::from_str(body)?;
    Ok(answer.shards)
}
