//! What can be wrong with a configuration: which setting, where it was made, and what to do.
//! No error shows a secret.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use super::ListenAddr;

/// Why the server does not start with this configuration.
#[derive(Debug)]
pub enum ConfigError {
    /// The file cannot be read.
    Read {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is not TOML.
    Syntax {
        /// The file.
        file: PathBuf,
        /// Place and reason, without the line itself, which may hold a secret.
        reason: String,
    },
    /// A key that does not exist.
    Unknown {
        /// The key with its table, `lag.skipp`.
        key: String,
        /// Where it stands.
        origin: Origin,
        /// The key that was probably meant.
        nearest: Option<String>,
    },
    /// A value of the wrong form.
    Invalid {
        /// The key with its table.
        key: String,
        /// Where it stands.
        origin: Origin,
        /// What was expected.
        reason: String,
    },
    /// A value outside its range, or in contradiction to another.
    Range {
        /// The key with its table.
        key: &'static str,
        /// Where it stands.
        origin: Origin,
        /// The rule that it breaks, as an instruction.
        rule: &'static str,
    },
    /// A host name in an address cannot be resolved.
    Resolve {
        /// The key.
        key: &'static str,
        /// The address as written.
        addr: ListenAddr,
        /// What the resolver said.
        source: io::Error,
    },
    /// An address that others can reach, without a key and without `open`.
    Exposed {
        /// The key.
        key: &'static str,
        /// The address.
        addr: SocketAddr,
    },
}

/// Where a setting was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// In this file.
    File(PathBuf),
    /// In the environment.
    Environment,
    /// On the command line.
    CommandLine,
    /// Nowhere: it is the default, at odds with something that was set.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::File(file) => write!(f, "in {}", file.display()),
            Origin::Environment => f.write_str("in the environment"),
            Origin::CommandLine => f.write_str("on the command line"),
            Origin::Default => f.write_str("by default"),
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConfigError::Read { file, source } => {
                write!(f, "cannot read the configuration {}: {source}", file.display())
            }
            ConfigError::Syntax { file, reason } => {
                write!(f, "{} is not valid TOML: {reason}", file.display())
            }
            ConfigError::Unknown { key, origin, nearest } => {
                write!(f, "unknown setting `{key}` {origin}")?;
                match nearest {
                    Some(nearest) => write!(f, "; did you mean `{nearest}`?"),
                    None => f.write_str("; docs/millstream.toml lists all settings"),
                }
            }
            ConfigError::Invalid { key, origin, reason } => {
                write!(f, "`{key}` {origin}: {reason}")
            }
            ConfigError::Range { key, origin, rule } => write!(f, "`{key}` {origin}: {rule}"),
            ConfigError::Resolve { key, addr, source } => {
                write!(f, "`{key}`: cannot resolve {addr}: {source}")
            }
            ConfigError::Exposed { key, addr } => write!(
                f,
                "`{key}` {addr} can be reached from other machines, and without a key anyone could \
                 publish. Set a key (--key NAME=SECRET, or a [keys] table in the file), or say \
                 --open if that is what you want, or listen on 127.0.0.1"
            ),
        }
    }
}

impl std::error::Error for ConfigError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            ConfigError::Read { source, .. } | ConfigError::Resolve { source, .. } => Some(source),
            _ => None,
        }
    }
}
