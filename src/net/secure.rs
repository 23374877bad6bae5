//! TLS over a socket that does not block, for connections that we make: what is written is encrypted for
//! this connection alone, what is read is plain. Which certificates are trusted is the caller's affair.
//!
//! A send is told to have taken all but the last byte while records wait for room in the socket: so the
//! outlet parks, offers that byte again when there is room, and it is passed over then, for it has gone
//! with the others. Thus a turn's rules hold as they do for a plain socket, and nothing waits unseen.

use super::socket::{Read, Writer};
use rustix::io::Errno;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, Error};
use std::io::{self, Read as _, Write as _};
use std::sync::Arc;

/// Plain bytes that are encrypted ahead of the socket at most: four records.
const AHEAD_BYTES: usize = 64 * 1024;

/// Why the encryption failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsFault {
    /// The certificate: not trusted, out of date, or of another host.
    Certificate,
    /// Anything else, such as an other end that speaks no TLS.
    Other,
}

/// One encrypted connection.
pub struct Secure {
    tls: ClientConnection,
    /// A byte that was encrypted and is still to be offered once more.
    ahead: bool,
    fault: Option<TlsFault>,
}

impl Secure {
    /// A connection to this host, whose first bytes are to be sent by [`flush`](Self::flush).
    ///
    /// # Errors
    /// If the host is no name that a certificate can carry.
    pub fn new(config: Arc<ClientConfig>, host: &str) -> Result<Self, TlsFault> {
        let name = ServerName::try_from(host.to_owned()).map_err(|_| TlsFault::Other)?;
        let mut tls = ClientConnection::new(config, name).map_err(|error| fault_of(&error))?;
        tls.set_buffer_limit(Some(AHEAD_BYTES));
        Ok(Self { tls, ahead: false, fault: None })
    }

    /// What went wrong, when a read or write failed.
    pub fn fault(&self) -> Option<TlsFault> {
        self.fault
    }

    /// Encrypts bytes and sends what there is room for; returns how many count as taken.
    ///
    /// # Errors
    /// If the connection failed.
    pub fn write(&mut self, writer: &Writer, bytes: &[u8]) -> rustix::io::Result<usize> {
        if !self.flush(writer)? || bytes.is_empty() {
            return Ok(0);
        }
        let mut taken = usize::from(std::mem::take(&mut self.ahead));
        while taken < bytes.len() {
            // What it does not take exceeds the limit above, and the socket is full.
            let count = self.tls.writer().write(&bytes[taken..]).map_err(|_| Errno::IO)?;
            taken += count;
            if !self.flush(writer)? {
                if taken == bytes.len() {
                    self.ahead = true;
                    taken -= 1;
                }
                break;
            }
            if count == 0 {
                break;
            }
        }
        Ok(taken)
    }

    /// Sends records that wait. Returns whether all went.
    ///
    /// # Errors
    /// If the connection failed.
    pub fn flush(&mut self, writer: &Writer) -> rustix::io::Result<bool> {
        while self.tls.wants_write() {
            match self.tls.write_tls(&mut Raw(writer)) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(Errno::from_io_error(&error).unwrap_or(Errno::IO)),
            }
        }
        Ok(true)
    }

    /// Reads what has come, decrypted. [`flush`](Self::flush) is due afterwards: handshakes answer.
    pub fn read(&mut self, writer: &Writer, buffer: &mut [u8]) -> Read {
        loop {
            match self.tls.reader().read(buffer) {
                Ok(0) => return self.broke(None),
                Ok(count) => return Read::Bytes(count),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                // The end came without TLS's own.
                Err(_) => return self.broke(None),
            }
            // Once what came before is read, it has room for more.
            match self.tls.read_tls(&mut Raw(writer)) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Read::Nothing,
                Err(error) => return self.broke(Errno::from_io_error(&error)),
            }
            if let Err(error) = self.tls.process_new_packets() {
                self.fault = Some(fault_of(&error));
                // The alert that says why; whether it goes changes nothing.
                let _ = self.flush(writer);
                return Read::End(None);
            }
        }
    }

    /// The socket's end. Within the handshake it is no end of a stream, but none of its beginning.
    fn broke(&mut self, errno: Option<Errno>) -> Read {
        if self.tls.is_handshaking() {
            self.fault.get_or_insert(TlsFault::Other);
        }
        Read::End(errno)
    }

    /// Says that nothing more comes from us.
    pub fn close(&mut self, writer: &Writer) {
        self.tls.send_close_notify();
        let _ = self.flush(writer);
    }
}

/// The socket, as TLS reads from it and writes to it.
struct Raw<'a>(&'a Writer);

impl io::Read for Raw<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.socket().read(buffer) {
            Read::Bytes(count) => Ok(count),
            Read::Nothing => Err(io::ErrorKind::WouldBlock.into()),
            Read::End(None) => Ok(0),
            Read::End(Some(errno)) => Err(errno.into()),
        }
    }
}

impl io::Write for Raw<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.0.write(bytes)? {
            0 => Err(io::ErrorKind::WouldBlock.into()),
            count => Ok(count),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn fault_of(error: &Error) -> TlsFault {
    match error {
        Error::InvalidCertificate(_) | Error::NoCertificatesPresented => TlsFault::Certificate,
        _ => TlsFault::Other,
    }
}
