//! A socket that does not block, with or without TLS on it.

use crate::error::Error;
use std::io::{self, IoSlice, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;

#[derive(Debug)]
pub(super) enum Socket {
    Plain(Counted),
    #[cfg(feature = "tls")]
    Tls {
        stream: Box<rustls::StreamOwned<rustls::ClientConnection, Counted>>,
        /// For errors.
        host: String,
    },
}

/// What bytes go over.
#[derive(Debug)]
enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// A socket that knows how much it has taken. TLS hides that: it takes what the socket does not.
#[derive(Debug)]
pub(super) struct Counted {
    stream: Stream,
    taken: u64,
}

impl From<TcpStream> for Counted {
    fn from(stream: TcpStream) -> Self {
        Self { stream: Stream::Tcp(stream), taken: 0 }
    }
}

impl From<UnixStream> for Counted {
    fn from(stream: UnixStream) -> Self {
        Self { stream: Stream::Unix(stream), taken: 0 }
    }
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.stream {
            Stream::Tcp(stream) => stream.read(buffer),
            Stream::Unix(stream) => stream.read(buffer),
        }
    }
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, bytes: &[IoSlice<'_>]) -> io::Result<usize> {
        let count = match &mut self.stream {
            Stream::Tcp(stream) => stream.write_vectored(bytes)?,
            Stream::Unix(stream) => stream.write_vectored(bytes)?,
        };
        self.taken += count as u64;
        Ok(count)
    }

    /// Neither kind keeps anything back.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.counted().stream {
            Stream::Tcp(stream) => stream.as_fd(),
            Stream::Unix(stream) => stream.as_fd(),
        }
    }
}

impl Socket {
    /// Bytes that the system has taken, TLS's own included.
    pub(super) fn taken(&self) -> u64 {
        self.counted().taken
    }

    fn counted(&self) -> &Counted {
        match self {
            Self::Plain(tcp) => tcp,
            #[cfg(feature = "tls")]
            Self::Tls { stream, .. } => &stream.sock,
        }
    }

    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(tcp) => tcp.read(buffer),
            #[cfg(feature = "tls")]
            Self::Tls { stream, .. } => stream.read(buffer),
        }
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(tcp) => tcp.write(bytes),
            #[cfg(feature = "tls")]
            Self::Tls { stream, .. } => stream.write(bytes),
        }
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(_) => Ok(()),
            #[cfg(feature = "tls")]
            Self::Tls { stream, .. } => stream.flush(),
        }
    }

    /// Whether bytes wait within: those of TLS, which knows its own.
    pub(super) fn wants_write(&self) -> bool {
        match self {
            Self::Plain(_) => false,
            #[cfg(feature = "tls")]
            Self::Tls { stream, .. } => stream.conn.wants_write(),
        }
    }

    /// Says that nothing more comes from us.
    pub(super) fn close(&mut self) -> io::Result<()> {
        #[cfg(feature = "tls")]
        if let Self::Tls { stream, .. } = self {
            stream.conn.send_close_notify();
            stream.flush()?;
        }
        match &self.counted().stream {
            Stream::Tcp(stream) => stream.shutdown(Shutdown::Write),
            Stream::Unix(stream) => stream.shutdown(Shutdown::Write),
        }
    }

    /// What an error of this socket is: TLS's own are told apart from those of the network.
    pub(super) fn failure(&self, error: io::Error) -> Error {
        #[cfg(feature = "tls")]
        if let Self::Tls { host, .. } = self
            && error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>())
        {
            return Error::Tls { host: host.clone(), source: Arc::new(error) };
        }
        Error::Lost(Arc::new(error))
    }
}
