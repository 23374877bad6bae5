//! A connection to the target: its name resolved and its addresses tried, on a thread of its own,
//! for the system's resolver blocks and clients shall not wait for it.

use super::session::{Loss, UpstreamId};
use crate::limits::PROXY_OPEN_MAX;
use crate::shard::bell::Bell;
use millstream_client::{Error, RtmpUrl};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Instant;

/// What came of it, and for which connection.
pub(super) type Dialled = (UpstreamId, Result<TcpStream, Loss>);

/// Tries, and rings when there is an answer in the channel. Nobody may listen any more by then.
pub(super) fn dial(
    id: UpstreamId,
    url: RtmpUrl,
    own: Arc<[SocketAddr]>,
    answers: Sender<Dialled>,
    bell: Arc<Bell>,
) {
    let again = answers.clone();
    let dialling = move || {
        let answer = connect(&url, &own);
        let _ = answers.send((id, answer));
        bell.ring();
    };
    let thread = std::thread::Builder::new().name("proxy-dial".into()).spawn(dialling);
    if thread.is_err() {
        // No thread is to be had: the next attempt may find one. It is heard of at the next tick.
        let _ = again.send((id, Err(Loss::Failed(None))));
    }
}

fn connect(url: &RtmpUrl, own: &[SocketAddr]) -> Result<TcpStream, Loss> {
    let host = url.host();
    let unresolved = |source: std::io::Error| {
        Loss::Connect(Error::Resolve { host: host.to_owned(), source: Arc::new(source) })
    };
    let addresses = (host, url.port()).to_socket_addrs().map_err(unresolved)?;
    let began = Instant::now();
    let mut failed = unresolved(std::io::ErrorKind::NotFound.into());
    for address in addresses {
        if own.iter().any(|own| is_same(*own, address)) {
            return Err(Loss::Loop);
        }
        let left = PROXY_OPEN_MAX.saturating_sub(began.elapsed());
        if left.is_zero() {
            break;
        }
        match TcpStream::connect_timeout(&address, left) {
            Ok(stream) => return Ok(stream),
            Err(source) => {
                failed = Loss::Connect(Error::Connect { address, source: Arc::new(source) });
            }
        }
    }
    Err(failed)
}

/// Whether who connects to `address` reaches who listens at `own`, as far as can be told.
fn is_same(own: SocketAddr, address: SocketAddr) -> bool {
    let any = own.ip().is_unspecified() && address.ip().is_loopback();
    own.port() == address.port() && (own.ip() == address.ip() || any)
}
