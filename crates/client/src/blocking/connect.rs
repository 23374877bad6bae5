//! From a URL, or a socket, to a connection: addresses, time-outs, TLS.

use super::Connection;
use super::socket::{Counted, Socket};
use crate::client::Client;
use crate::error::Error;
use crate::options::Options;
use crate::url::RtmpUrl;
use std::io;
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

/// How long things may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// To connect to one address.
    pub connect: Duration,
    /// For the server to answer, and to take anything of what is sent to it.
    pub answer: Duration,
    /// For the server to end a connection that we have ended.
    pub goodbye: Duration,
}

impl Default for Times {
    /// 10 s, 15 s and 1 s.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            answer: Duration::from_secs(15),
            goodbye: Duration::from_secs(1),
        }
    }
}

/// How to connect.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The connection's own settings.
    pub options: Options,
    /// How long things may take.
    pub times: Times,
    /// Which certificates are trusted, for `rtmps`. The system's by default.
    #[cfg(feature = "tls")]
    pub tls: Option<Arc<rustls::ClientConfig>>,
}

impl Settings {
    /// The defaults for a URL.
    pub fn new(url: &RtmpUrl) -> Self {
        Self {
            options: Options::new(url),
            times: Times::default(),
            #[cfg(feature = "tls")]
            tls: None,
        }
    }

    /// The defaults for a URL that is published to, with [`Options::for_publishing`].
    pub fn for_publishing(url: &RtmpUrl) -> Self {
        Self { options: Options::for_publishing(url), ..Self::new(url) }
    }
}

/// Connects. Handshakes and `connect` go on with the first [`Connection::next`] or
/// [`Connection::publish`], so that what they meet is told there.
///
/// # Errors
/// [`Error::Resolve`] and [`Error::Connect`]; [`Error::Tls`] when no certificate at all is trusted here.
pub fn connect(url: &RtmpUrl, settings: Settings) -> Result<Connection, Error> {
    let tcp = open(url, settings.times.connect)?;
    // Frames are to go at once; a socket that refuses works too.
    let _ = tcp.set_nodelay(true);
    tcp.set_nonblocking(true).map_err(|error| Error::Lost(Arc::new(error)))?;
    let tcp = Counted::from(tcp);
    #[cfg(feature = "tls")]
    let socket = if url.is_tls() { encrypted(url, tcp, settings.tls)? } else { Socket::Plain(tcp) };
    #[cfg(not(feature = "tls"))]
    let socket = if url.is_tls() { return Err(Error::NoTls) } else { Socket::Plain(tcp) };
    Ok(Connection::new(Client::new(settings.options)?, socket, settings.times))
}

/// The same over a socket that leads to a server already, such as one in this process. Nothing is
/// encrypted. As with [`connect`], the handshake comes with what is asked for first.
///
/// # Errors
/// [`Error::Lost`] if the socket cannot be made not to block, and those of the options.
pub fn over(socket: UnixStream, settings: Settings) -> Result<Connection, Error> {
    socket.set_nonblocking(true).map_err(|error| Error::Lost(Arc::new(error)))?;
    let socket = Socket::Plain(Counted::from(socket));
    Ok(Connection::new(Client::new(settings.options)?, socket, settings.times))
}

#[cfg(feature = "tls")]
fn encrypted(
    url: &RtmpUrl,
    tcp: Counted,
    config: Option<Arc<rustls::ClientConfig>>,
) -> Result<Socket, Error> {
    use crate::tls::{Trust, failed, server_name};
    let config = match config {
        Some(config) => config,
        None => Trust::default().config().map_err(|error| failed(url, io::Error::other(error)))?,
    };
    let session = rustls::ClientConnection::new(config, server_name(url)?);
    let session = session.map_err(|error| failed(url, io::Error::other(error)))?;
    let stream = Box::new(rustls::StreamOwned::new(session, tcp));
    Ok(Socket::Tls { stream, host: url.host().to_owned() })
}

fn open(url: &RtmpUrl, at_most: Duration) -> Result<TcpStream, Error> {
    let resolve = |source| Error::Resolve { host: url.host().to_owned(), source: Arc::new(source) };
    let mut failure = resolve(io::ErrorKind::NotFound.into());
    for address in (url.host(), url.port()).to_socket_addrs().map_err(resolve)? {
        match TcpStream::connect_timeout(&address, at_most) {
            Ok(socket) => return Ok(socket),
            Err(source) => failure = Error::Connect { address, source: Arc::new(source) },
        }
    }
    Err(failure)
}
