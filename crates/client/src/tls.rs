//! `rtmps`: which certificates are trusted, and the rustls configuration of it. Sockets stand in
//! `blocking`; an async application encrypts its own with [`connect_tls`].

use crate::error::Error;
use crate::url::RtmpUrl;
use futures_io::{AsyncRead, AsyncWrite};
use futures_rustls::TlsConnector;
use futures_rustls::client::TlsStream;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Which certificates are trusted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trust {
    /// A PEM file of root certificates that are trusted besides the system's, such as that of a company
    /// or of a test.
    pub extra_roots: Option<PathBuf>,
    /// Trust the extra roots only, and none of the system's.
    pub only_extra: bool,
}

/// Why there is nothing to trust.
#[derive(Debug)]
pub enum TrustError {
    /// The file of extra roots cannot be read, or is no PEM file.
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rustls::pki_types::pem::Error,
    },
    /// The file has no certificate in it.
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// A certificate in the file is none.
    BadCertificate {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rustls::Error,
    },
    /// The system has no root certificates, and no others were given.
    NoRoots,
    /// The cryptography offers no version of TLS.
    Versions(rustls::Error),
}

impl Trust {
    /// The configuration for connections that trust these certificates: TLS 1.2 and 1.3.
    ///
    /// # Errors
    /// [`TrustError`] says which file is to be looked at.
    pub fn config(&self) -> Result<Arc<ClientConfig>, TrustError> {
        let mut roots = RootCertStore::empty();
        if !self.only_extra {
            // Single certificates of the system that cannot be read do not matter.
            let system = rustls_native_certs::load_native_certs();
            roots.add_parsable_certificates(system.certs);
        }
        if let Some(path) = &self.extra_roots {
            add(&mut roots, path)?;
        }
        if roots.is_empty() {
            return Err(TrustError::NoRoots);
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(TrustError::Versions)?;
        Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
    }
}

fn add(roots: &mut RootCertStore, path: &Path) -> Result<(), TrustError> {
    let file = |source| TrustError::File { path: path.to_owned(), source };
    let before = roots.len();
    for certificate in CertificateDer::pem_file_iter(path).map_err(file)? {
        let bad = |source| TrustError::BadCertificate { path: path.to_owned(), source };
        roots.add(certificate.map_err(file)?).map_err(bad)?;
    }
    if roots.len() == before {
        return Err(TrustError::NoCertificate { path: path.to_owned() });
    }
    Ok(())
}

/// Encrypts a connected socket for the host of a URL. What comes out goes to
/// [`Connection::new`](crate::Connection::new).
///
/// # Errors
/// [`Error::Tls`], among others when the certificate is not trusted.
pub async fn connect_tls<IO: AsyncRead + AsyncWrite + Unpin>(
    io: IO,
    url: &RtmpUrl,
    config: Arc<ClientConfig>,
) -> Result<TlsStream<IO>, Error> {
    let name = server_name(url)?;
    let connected = TlsConnector::from(config).connect(name, io).await;
    connected.map_err(|source| failed(url, source))
}

/// The name that the certificate has to carry.
pub(crate) fn server_name(url: &RtmpUrl) -> Result<ServerName<'static>, Error> {
    let host = url.host().to_owned();
    ServerName::try_from(host).map_err(|error| failed(url, io::Error::other(error)))
}

pub(crate) fn failed(url: &RtmpUrl, source: io::Error) -> Error {
    Error::Tls { host: url.host().to_owned(), source: Arc::new(source) }
}

impl fmt::Display for TrustError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, source } => write!(f, "{}: {source}", path.display()),
            Self::NoCertificate { path } => {
                write!(f, "{} has no certificate in it; a PEM file is wanted", path.display())
            }
            Self::BadCertificate { path, source } => {
                write!(f, "{} has a certificate that cannot be used: {source}", path.display())
            }
            Self::NoRoots => f.write_str(
                "this system has no root certificates; install them (ca-certificates), or name a \
                 file of your own",
            ),
            Self::Versions(source) => write!(f, "no version of TLS can be used: {source}"),
        }
    }
}

impl std::error::Error for TrustError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::File { source, .. } => Some(source),
            Self::BadCertificate { source, .. } | Self::Versions(source) => Some(source),
            Self::NoCertificate { .. } | Self::NoRoots => None,
        }
    }
}
