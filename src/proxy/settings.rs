//! What a proxy is to do, out of its command line and its file.

use super::error::ProxyError;
use super::policy::Policy;
use super::rename::{Rename, RenameError, Renames};
use super::target::Target;
use crate::cli::ProxyArgs;
use crate::config::{Keys, Secret};
use figment::providers::{Format, Toml};
use millstream_client::tls::Trust;
use rustls::ClientConfig;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// All that is said, checked.
pub(super) struct Settings {
    pub(super) policy: Arc<Policy>,
    /// For a target that is encrypted.
    pub(super) tls: Option<Arc<ClientConfig>>,
    pub(super) listen: Vec<SocketAddr>,
    pub(super) connections: u32,
    pub(super) give_up: Duration,
}

/// The file of `--keys`: what shall not stand in a process list.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    target: Option<Secret>,
    keys: Keys,
    rename: BTreeMap<String, Secret>,
}

impl Settings {
    pub(super) fn load(args: &ProxyArgs) -> Result<Self, ProxyError> {
        let file = args.keys.as_deref().map(read).transpose()?.unwrap_or_default();
        let target = match (&args.target, &file.target) {
            (Some(target), None) => target.as_str(),
            (None, Some(target)) => target.reveal(),
            (Some(_), Some(_)) => {
                return Err(ProxyError::Options(
                    "the target stands on the command line and in the file: once is enough",
                ));
            }
            (None, None) => {
                return Err(ProxyError::Options(
                    "where to? Give a target, as rtmp://HOST[/APP[/NAME]], here or in the file \
                     of --keys",
                ));
            }
        };
        let target = Target::parse(target).map_err(ProxyError::Target)?;
        let mut keys = file.keys;
        for key in &args.key {
            keys.insert(&key.name, key.secret.clone()).map_err(ProxyError::Key)?;
        }
        let mut renames = Renames::default();
        let of_file = file.rename.iter().map(|(from, to)| Rename::new(from, to.reveal()));
        for rename in args.rename.iter().cloned().map(Ok::<_, RenameError>).chain(of_file) {
            rename.and_then(|rename| renames.add(rename)).map_err(ProxyError::Rename)?;
        }
        let listen = args.listen.resolve();
        let listen =
            listen.map_err(|source| ProxyError::Resolve { addr: args.listen.clone(), source })?;
        let exposed = |address: &&SocketAddr| !address.ip().to_canonical().is_loopback();
        if let Some(address) = listen.iter().find(exposed)
            && keys.is_empty()
            && !args.no_publish
            && !args.open
        {
            return Err(ProxyError::Exposed(*address));
        }
        let trust = Trust { extra_roots: args.ca.clone(), only_extra: false };
        let tls = target.is_tls().then(|| trust.config()).transpose().map_err(ProxyError::Trust)?;
        let (publish, play) = (!args.no_publish, !args.no_play);
        Ok(Self {
            policy: Arc::new(Policy { target, keys, renames, publish, play }),
            tls,
            listen,
            connections: args.connections,
            give_up: args.give_up,
        })
    }
}

fn read(path: &Path) -> Result<File, ProxyError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| ProxyError::File { path: path.to_owned(), source })?;
    Toml::from_str(&text).map_err(|error| {
        // The message is shown, and the line it is about is not: a key may stand in it.
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let reason = format!("line {line}: {}", error.message());
        ProxyError::Syntax { path: path.to_owned(), reason }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Cli, Command};
    use clap::Parser;

    fn load(line: &str) -> Result<Settings, ProxyError> {
        let line = format!("millstream proxy {line}");
        match Cli::try_parse_from(line.split_whitespace()).unwrap().into_command() {
            Command::Proxy(args) => Settings::load(&args),
            other => panic!("{other:?}"),
        }
    }

    fn file(text: &str) -> Result<File, ProxyError> {
        let name = format!("millstream-proxy-{}-{:p}", std::process::id(), text);
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, text).unwrap();
        let read = read(&path);
        std::fs::remove_file(&path).unwrap();
        read
    }

    #[test]
    fn options_reach_the_settings() {
        let settings = load(
            "--listen 127.0.0.1:0 --key cam=secret-of-cam --rename cam=main --no-play \
             --give-up 3s --connections 7 rtmp://h/in",
        );
        let settings = settings.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(settings.policy.target, Target::parse("rtmp://h/in").unwrap());
        assert_eq!(settings.policy.keys.streams().count(), 1);
        assert!(settings.policy.publish && !settings.policy.play);
        assert_eq!((settings.connections, settings.give_up), (7, Duration::from_secs(3)));
        assert!(settings.tls.is_none());
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let error = |line| load(line).err().unwrap();
        assert!(matches!(error("--listen 127.0.0.1:0"), ProxyError::Options(_)));
        assert!(matches!(error("http://h"), ProxyError::Target(_)));
        assert!(matches!(error("--listen 0.0.0.0:0 rtmp://h"), ProxyError::Exposed(_)));
        assert!(load("--listen 0.0.0.0:0 --open rtmp://h").is_ok());
        assert!(load("--listen 0.0.0.0:0 --no-publish rtmp://h").is_ok());
        assert!(matches!(error("--rename a=b --rename a=c rtmp://h"), ProxyError::Rename(_)));
        assert!(matches!(error("--keys /nowhere rtmp://h"), ProxyError::File { .. }));
    }

    #[test]
    fn a_file_says_the_same_and_its_faults_show_no_key() {
        let read = file(
            "target = \"rtmp://h/app/s3cret\"\n[keys]\ncam = \"secret-of-cam\"\n\
             [rename]\n\"live/*\" = \"in/*\"\n",
        );
        let read = read.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((read.keys.streams().count(), read.rename.len()), (1, 1));
        for text in [
            "[keys]\ncam = \"s3cret",
            "[keys]\ncam = \"s3cret?\"",
            "[keys]\ncam = 1\ns3cret",
            "target = [\"s3cret\"]",
            "[rename]\ncam = { to = \"s3cret\" }",
            "[typo]\ncam = \"s3cret\"",
        ] {
            let error = file(text).err().unwrap_or_else(|| panic!("{text}"));
            assert!(!format!("{error} {error:?}").contains("s3cret"), "{error:?}");
        }
    }
}
