//! `[[push]]`: streams that are published to other servers while they are live. Here only the form; what
//! a pattern matches and how URLs and keys come apart stands in [`crate::outbound`].

use super::Secret;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// One target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Push {
    /// The stream here, `live/cam1`, or a pattern of several, `live/*`.
    pub stream: String,
    /// Where to: `rtmp://host[:port]/app`, or `rtmps://`; without `key` with the name there behind it. It
    /// may hold a key, so it is never shown as it is.
    pub url: Secret,
    /// The key, or the name of the stream there.
    #[serde(default)]
    pub key: Option<Secret>,
    /// What to call it on the status page; by default its host.
    #[serde(default)]
    pub name: Option<String>,
    /// A PEM file of root certificates that are trusted there besides the system's.
    #[serde(default)]
    pub ca: Option<PathBuf>,
}
