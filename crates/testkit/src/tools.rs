//! Finding the programs that the tests run, and saying how to install one that is missing.

use std::env;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// The workspace's root directory.
#[must_use]
pub fn workspace_root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// The program's path, searched in `PATH` and in the `sbin` directories that `PATH` often lacks.
pub fn find(tool: &str) -> Result<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain([PathBuf::from("/usr/sbin"), PathBuf::from("/sbin")])
        .map(|dir| dir.join(tool))
        .find(|candidate| candidate.is_file())
        .ok_or_else(|| Error::ToolMissing { tool: tool.to_owned() })
}

/// A current ffmpeg, which speaks Enhanced RTMP (Debian 12's 5.1 does not).
///
/// `tests/install.sh` puts it at `.tools/ffmpeg`; `MILLSTREAM_TEST_FFMPEG` names another one.
pub fn current_ffmpeg() -> Result<PathBuf> {
    let path = match env::var_os("MILLSTREAM_TEST_FFMPEG") {
        Some(path) => PathBuf::from(path),
        None => workspace_root().join(".tools/ffmpeg"),
    };
    if path.is_file() {
        Ok(path)
    } else {
        Err(Error::ToolMissing { tool: path.display().to_string() })
    }
}

/// Where generated clips are kept between runs.
pub(crate) fn clip_cache() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| workspace_root().join("target"), PathBuf::from)
        .join("test-clips")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_tool_names_the_installer() {
        let error = format!("{:?}", find("no-such-program-anywhere").unwrap_err());
        assert!(error.contains("no-such-program-anywhere"), "{error}");
        assert!(error.contains("tests/install.sh"), "{error}");
    }
}
