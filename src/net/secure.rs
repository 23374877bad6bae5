//! TLS over a socket that does not block, for connections that we make: what is written is encrypted for
//! this connection alone, what is read is plain. Which certificates are trusted is the caller's affair.
//!
//! A send is told to have taken all but the last byte while records wait for room in the socket: so the
//! outlet parks, offers that byte again when there is room, and it is passed over then, for it has gone
//! with the others. Thus a turn's rules hold as they do for a plain socket, and nothing waits unseen.

use super::socket::{Read, Writer};
use crate::limits;
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

    /// Reads what has come, decrypted. [`flush`](Self::flush) is due afterwards: handshakes answer. No
    /// bytes are none of what was read, and more may be there: records may hold nothing, and however
    /// many come, others have their turn.
    pub fn read(&mut self, writer: &Writer, buffer: &mut [u8]) -> Read {
        for _ in 0..limits::SECURE_READS {
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
        Read::Bytes(0)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::socket::Socket;
    use crate::shard::runtime;
    use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
    use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
    use std::net::{TcpListener, TcpStream};
    use std::rc::Rc;
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::time::Duration;

    /// A server with a certificate for this host; what it is sent comes out of the channel, once it is
    /// told to read.
    fn server(host: &str) -> (CertificateDer<'static>, TcpStream, Sender<()>, Receiver<Vec<u8>>) {
        let made = rcgen::generate_simple_self_signed([host.to_owned()]).unwrap();
        let certificate = made.cert.der().clone();
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key.into())
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (go, told) = channel();
        let (send, received) = channel();
        std::thread::spawn(move || {
            let (mut socket, _) = listener.accept().unwrap();
            let mut session = ServerConnection::new(Arc::new(config)).unwrap();
            while session.is_handshaking() {
                if session.complete_io(&mut socket).is_err() {
                    return;
                }
            }
            let mut stream = StreamOwned::new(session, socket);
            stream.write_all(b"hello").unwrap();
            told.recv().unwrap();
            let mut all = Vec::new();
            let _ = stream.read_to_end(&mut all);
            send.send(all).unwrap();
        });
        (certificate, client, go, received)
    }

    fn client(certificate: CertificateDer<'static>) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(certificate).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap();
        Arc::new(config.with_root_certificates(roots).with_no_client_auth())
    }

    fn writer(client: TcpStream) -> Writer {
        let stream = monoio::net::TcpStream::from_std(client).unwrap();
        Writer::new(Rc::new(Socket::new(stream, Duration::ZERO).unwrap()))
    }

    /// Reads until something comes or the end does.
    fn read(secure: &mut Secure, writer: &Writer, buffer: &mut [u8]) -> Read {
        loop {
            let read = secure.read(writer, buffer);
            let _ = secure.flush(writer);
            if read != Read::Nothing {
                return read;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn what_a_slow_reader_takes_is_what_was_offered() {
        runtime::run(async {
            let (certificate, socket, go, received) = server("127.0.0.1");
            let writer = writer(socket);
            let mut secure = Secure::new(client(certificate), "127.0.0.1").unwrap();
            secure.flush(&writer).unwrap();
            let mut buffer = vec![0; 4096];
            assert_eq!(read(&mut secure, &writer, &mut buffer), Read::Bytes(5));
            // More than any buffer of the kernel holds, offered in stretches of all lengths.
            let bytes: Vec<u8> = (0..12_000_000_u32).map(|at| ((at / 7) ^ at) as u8).collect();
            let (mut at, mut full, mut length) = (0, 0, 1);
            while at < bytes.len() {
                let offer = &bytes[at..(at + length).min(bytes.len())];
                let taken = secure.write(&writer, offer).unwrap();
                assert!(taken <= offer.len());
                at += taken;
                if taken < offer.len() {
                    full += 1;
                    // Nobody has read so far: the first time that it is full must not lose anything.
                    let _ = go.send(());
                    std::thread::sleep(Duration::from_millis(1));
                } else {
                    length = length * 3 % 200_003 + 1;
                }
            }
            assert!(full > 0, "the socket was never full");
            secure.close(&writer);
            writer.socket().finish();
            let _ = go.send(());
            let got = received.recv_timeout(Duration::from_secs(60)).unwrap();
            assert!(got == bytes, "{} bytes of {}", got.len(), bytes.len());
            assert_eq!(secure.fault(), None);
        })
        .unwrap();
    }

    #[test]
    fn certificates_of_others_are_told_from_what_is_no_tls() {
        runtime::run(async {
            let (own, socket, _go, _received) = server("other.example");
            let (foreign, ..) = server("127.0.0.1");
            let mut buffer = [0; 4096];
            let writer_of = writer(socket);
            let mut secure = Secure::new(client(foreign), "127.0.0.1").unwrap();
            secure.flush(&writer_of).unwrap();
            assert!(matches!(read(&mut secure, &writer_of, &mut buffer), Read::End(_)));
            assert_eq!(secure.fault(), Some(TlsFault::Certificate));

            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let socket = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            listener.accept().unwrap().0.write_all(b"HTTP/1.1 400 no\r\n\r\n").unwrap();
            let writer_of = writer(socket);
            let mut secure = Secure::new(client(own), "127.0.0.1").unwrap();
            secure.flush(&writer_of).unwrap();
            assert!(matches!(read(&mut secure, &writer_of, &mut buffer), Read::End(_)));
            assert_eq!(secure.fault(), Some(TlsFault::Other));
        })
        .unwrap();
    }
}
