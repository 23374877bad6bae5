//! A socket, encrypted or not, that is read and written at once or not at all. When is the affair of
//! `pump`.

use super::session::Loss;
use crate::limits;
use millstream_client::{Error, RtmpUrl};
use rustix::io::Errno;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::Instant;

/// One connection.
pub(super) struct Link {
    socket: TcpStream,
    tls: Option<Tls>,
    /// Since when the other end takes nothing of what waits for it.
    pub(super) stuck_since: Option<Instant>,
    /// Our side is closed.
    closed: bool,
    /// Nothing more comes.
    pub(super) ended: bool,
}

struct Tls {
    connection: Box<ClientConnection>,
    /// For errors: whose certificate is wanted.
    host: String,
}

/// What a read gave.
pub(super) enum Got {
    Bytes(usize),
    Nothing,
    /// The other end closed its side.
    End,
}

impl Link {
    /// A connected socket.
    ///
    /// # Errors
    /// If it cannot be set not to block.
    pub(super) fn plain(socket: TcpStream) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        // Each of these is an improvement, none a condition.
        let _ = socket.set_nodelay(true);
        let alive = socket2::TcpKeepalive::new()
            .with_time(limits::KEEPALIVE_IDLE)
            .with_interval(limits::KEEPALIVE_INTERVAL)
            .with_retries(limits::KEEPALIVE_PROBES);
        let options = socket2::SockRef::from(&socket);
        let _ = options.set_tcp_keepalive(&alive);
        let _ = options.set_tcp_user_timeout(Some(limits::PROXY_STALLED_MAX));
        Ok(Self { socket, tls: None, stuck_since: None, closed: false, ended: false })
    }

    /// A connected socket to an `rtmps` target. The handshake goes on with reads and writes.
    ///
    /// # Errors
    /// If the host is no name that a certificate can have, or as for a plain one.
    pub(super) fn encrypted(
        socket: TcpStream,
        url: &RtmpUrl,
        config: Arc<ClientConfig>,
    ) -> Result<Self, Loss> {
        let host = url.host().to_owned();
        let name = ServerName::try_from(host.clone());
        let name = name.map_err(|error| not_encrypted(&host, io::Error::other(error)))?;
        let connection = ClientConnection::new(config, name);
        let connection =
            connection.map_err(|error| not_encrypted(&host, io::Error::other(error)))?;
        let plain = Self::plain(socket).map_err(|error| Loss::Failed(errno(&error)))?;
        Ok(Self { tls: Some(Tls { connection: Box::new(connection), host }), ..plain })
    }

    /// Reads what is there.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<Got> {
        let Some(Tls { connection: tls, .. }) = &mut self.tls else {
            return got(self.socket.read(buffer));
        };
        loop {
            match tls.reader().read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                read => return got(read),
            }
            match tls.read_tls(&mut self.socket) {
                Ok(0) => return Ok(Got::End),
                Ok(_) => {
                    let state = tls.process_new_packets().map_err(io::Error::other);
                    // What went wrong is told to the other end, too, before it is over.
                    let flushed = flush(tls, &mut self.socket);
                    state?;
                    flushed?;
                }
                Err(error) => return got(Err(error)),
            }
        }
    }

    /// Writes what there is room for, and says how much that was.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(Tls { connection: tls, .. }) = &mut self.tls else {
            return taken(self.socket.write(bytes));
        };
        flush(tls, &mut self.socket)?;
        if tls.is_handshaking() || tls.wants_write() {
            return Ok(0);
        }
        let count = tls.writer().write(bytes)?;
        flush(tls, &mut self.socket)?;
        Ok(count)
    }

    /// Whether it is to be waited for room for what TLS has to say.
    pub(super) fn wants_write(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.connection.wants_write())
    }

    /// Whether what waits for it can be written: not before the handshake of TLS.
    pub(super) fn is_open(&self) -> bool {
        self.tls.as_ref().is_none_or(|tls| !tls.connection.is_handshaking())
    }

    /// Closes our side, once.
    pub(super) fn close(&mut self) {
        if std::mem::replace(&mut self.closed, true) {
            return;
        }
        if let Some(Tls { connection, .. }) = &mut self.tls {
            connection.send_close_notify();
            let _ = flush(connection, &mut self.socket);
        }
        // It may be gone already.
        let _ = self.socket.shutdown(Shutdown::Write);
    }

    /// What an error of this connection is to a session.
    pub(super) fn loss(&self, error: io::Error) -> Loss {
        match &self.tls {
            Some(tls) if tls.connection.is_handshaking() => not_encrypted(&tls.host, error),
            _ => Loss::Failed(errno(&error)),
        }
    }
}

impl AsFd for Link {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn flush(tls: &mut ClientConnection, socket: &mut TcpStream) -> io::Result<()> {
    while tls.wants_write() {
        if taken(tls.write_tls(socket))? == 0 {
            return Ok(());
        }
    }
    Ok(())
}

fn got(read: io::Result<usize>) -> io::Result<Got> {
    match read {
        Ok(0) => Ok(Got::End),
        Ok(count) => Ok(Got::Bytes(count)),
        Err(error) => match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => Ok(Got::Nothing),
            // TLS: the other end closed without saying so.
            io::ErrorKind::UnexpectedEof => Ok(Got::End),
            _ => Err(error),
        },
    }
}

fn taken(written: io::Result<usize>) -> io::Result<usize> {
    match written {
        Err(error)
            if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) =>
        {
            Ok(0)
        }
        written => written,
    }
}

/// The system's number of an error, if it has one.
pub(super) fn errno(error: &io::Error) -> Option<Errno> {
    Errno::from_io_error(error)
}

fn not_encrypted(host: &str, error: io::Error) -> Loss {
    Loss::Connect(Error::Tls { host: host.to_owned(), source: Arc::new(error) })
}
