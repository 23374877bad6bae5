//! A directory of one test's own, removed when the test passed and kept when it failed.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::error::{Error, Result};

/// A fresh directory below the system's temporary directory.
///
/// It lies there, and not in `target/`, because VLC runs as another user and must be able to
/// reach it wherever the repository was cloned to.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
}

impl Scratch {
    /// Makes the directory; `name` is for whoever looks at what a failed test left.
    pub fn new(name: &str) -> Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let leaf = format!("millstream-{name}-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(leaf);
        fs::create_dir_all(&path).map_err(Error::io(format!("create {}", path.display())))?;
        // Another user (VLC's, see `players`) writes its recording here.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o777))
            .map_err(Error::io(format!("chmod {}", path.display())))?;
        Ok(Self { path })
    }

    /// The directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A path of this name in the directory.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("kept for inspection: {}", self.path.display());
        } else {
            // What cannot be removed is litter in a temporary directory, not a failed test.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}
