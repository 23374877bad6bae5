//! The programs that carry a load: where they are, how they are started, and how they end.

use loadtest::host::cores;
use loadtest::host::server::Server;
use std::io::{self, BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// A program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// The bare sender.
    Bare,
    /// The server.
    Millstream,
    /// The server, built with the feature `system-allocator`.
    MillstreamSystemAllocator,
}

/// Where the programs are.
#[derive(Clone, Debug)]
pub struct Programs {
    /// [`Program::Bare`].
    pub bare: PathBuf,
    /// [`Program::Millstream`].
    pub millstream: PathBuf,
    /// [`Program::MillstreamSystemAllocator`].
    pub millstream_system_allocator: PathBuf,
}

impl Programs {
    /// All beside the program that runs.
    ///
    /// # Errors
    /// If it cannot be told where that is.
    pub fn beside_this() -> io::Result<Self> {
        let own = std::env::current_exe()?;
        Ok(Self {
            bare: own.with_file_name("bare"),
            millstream: own.with_file_name("millstream"),
            millstream_system_allocator: own.with_file_name("millstream-system-allocator"),
        })
    }

    /// Where a program is, and how it comes to be there if it is not.
    pub fn find(&self, program: Program) -> (&PathBuf, &'static str) {
        match program {
            Program::Bare => (&self.bare, "cargo build --release -p bench --bins"),
            Program::Millstream => (&self.millstream, "cargo build --release -p millstream"),
            Program::MillstreamSystemAllocator => (
                &self.millstream_system_allocator,
                "cargo build --release -p millstream --features system-allocator, \
                 and copy the program there",
            ),
        }
    }
}

/// A program that serves. It is ended when this is dropped.
#[derive(Debug)]
pub enum Served {
    /// The bare sender: the process, and the URL without a stream's name.
    Bare(Child, String),
    /// The server.
    Millstream(Server),
}

impl Served {
    /// Starts a program.
    ///
    /// # Errors
    /// If it is not there, cannot be started, or does not say where it listens.
    pub fn start(
        programs: &Programs,
        program: Program,
        arguments: &[String],
        on: &[usize],
    ) -> io::Result<Self> {
        let (path, build) = programs.find(program);
        if !path.exists() {
            let text = format!("{} is missing: {build}", path.display());
            return Err(io::Error::new(io::ErrorKind::NotFound, text));
        }
        let cores = on.iter().map(usize::to_string).collect::<Vec<_>>().join(",");
        if program != Program::Bare {
            return Ok(Self::Millstream(Server::start(path, &cores, arguments)?));
        }
        let child = Command::new(path)
            .args(["--core", &cores])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            // What it counted is not wanted; what it complains of is.
            .stderr(Stdio::piped())
            .spawn()?;
        // From here on it is ended, whatever happens.
        let mut served = Self::Bare(child, String::new());
        if let Self::Bare(child, url) = &mut served {
            let mut line = String::new();
            if let Some(stdout) = child.stdout.take() {
                BufReader::new(stdout).read_line(&mut line)?;
            }
            let Some((prefix, _)) = line.split_once("NAME") else {
                let mut told = String::new();
                if let Some(stderr) = child.stderr.take() {
                    BufReader::new(stderr).read_line(&mut told)?;
                }
                return Err(io::Error::other(format!("it does not serve: {}", told.trim())));
            };
            prefix.clone_into(url);
        }
        Ok(served)
    }

    /// Where to publish and play; the name of the stream is to follow.
    pub fn url(&self) -> String {
        match self {
            Self::Bare(_, url) => url.clone(),
            Self::Millstream(server) => format!("rtmp://{}/live/", server.rtmp),
        }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        match self {
            Self::Bare(child, _) => child.id(),
            Self::Millstream(server) => server.pid(),
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let Self::Bare(child, _) = self else { return };
        // It holds nothing that would have to be put in order.
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// The core of the program under test, and that of the load.
pub fn two_cores() -> (usize, usize) {
    let allowed = cores::allowed();
    // `allowed` never has none.
    (allowed.first().copied().unwrap_or(0), allowed.last().copied().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_not_there_or_does_not_serve_is_an_error() {
        let mut programs = Programs::beside_this().unwrap();
        programs.millstream = "/nonexistent".into();
        let missing = Served::start(&programs, Program::Millstream, &[], &[0]).unwrap_err();
        assert!(missing.to_string().contains("cargo build"), "{missing}");
        programs.bare = "/bin/true".into();
        let silent = Served::start(&programs, Program::Bare, &[], &[0]).unwrap_err();
        assert!(silent.to_string().contains("does not serve"), "{silent}");
    }
}
