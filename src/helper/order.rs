//! What the supervisor and a guardian say to each other: one JSON object a line, the order on the
//! guardian's standard input, reports on its standard output. Afterwards the line [`STOP`] tells the
//! guardian to end, and so does the end of its input: then the server is gone.
//!
//! ```text
//!   supervisor --- Order ---> guardian --- Order ---> the process that becomes the program
//!              <-- Hello, Began or Refused, Ended ---
//! ```

use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::PathBuf;

/// The line that ends a helper.
pub const STOP: &[u8] = b"stop\n";

/// The form of all this. A guardian of another form is not used.
pub const FORM: u32 = 1;

/// The variable by which processes of one run are found again, whatever they do to their groups and
/// parents. Not one that the server would read as a setting of its own.
pub const MARK: &str = "HELPER_RUN_OF_MILLSTREAM";

/// What to run, and how.
#[derive(Serialize, Deserialize)]
pub struct Order {
    /// Program and arguments.
    pub run: Vec<String>,
    /// Variables on top of the server's own, less those that are its settings.
    pub env: Vec<(String, String)>,
    /// The directory, if it is not the server's.
    pub cwd: Option<PathBuf>,
    /// Its niceness, on top of the server's.
    pub nice: u8,
    /// Address space in bytes.
    pub memory: Option<u64>,
    /// Open files.
    pub open_files: u64,
    /// Processor time in seconds.
    pub cpu_s: Option<u64>,
    /// The number of the signal that asks it to end.
    pub stop_signal: i32,
    /// How long it may take.
    pub patience_ms: u64,
    /// The value of [`MARK`].
    pub mark: String,
}

/// What a guardian reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Report {
    /// It is a guardian of this form.
    Hello(u32),
    /// The program runs, as this process, which leads its own group and session.
    Began(i32),
    /// The program does not run.
    Refused(Refused),
    /// The program ended. What it left behind is being ended.
    Ended(End),
}

/// Why a program does not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// What was tried.
    pub step: Step,
    /// The number of the system's error.
    pub errno: i32,
}

/// What is done before a program runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// A process for it.
    Process,
    /// A session of its own.
    Session,
    /// Its niceness.
    Nice,
    /// Its limits.
    Limits,
    /// Its directory.
    Directory,
    /// The program itself.
    Program,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.step {
            Step::Process => "no process could be started",
            Step::Session => "it could not be given a session of its own",
            Step::Nice => "it could not be given its niceness",
            Step::Limits => "it could not be given its limits",
            Step::Directory => "its directory cannot be entered",
            Step::Program => "the program cannot be run",
        })?;
        write!(f, ": {}", std::io::Error::from_raw_os_error(self.errno))
    }
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// By itself, with this exit status.
    Status(i32),
    /// By this signal.
    Signal(i32),
    /// Nobody knows: its guardian was killed.
    Unknown,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Status(status) => write!(f, "exit status {status}"),
            Self::Signal(signal) => match signal_hook::low_level::signal_name(signal) {
                Some(name) => f.write_str(name),
                None => write!(f, "signal {signal}"),
            },
            Self::Unknown => f.write_str("its guardian was killed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_survive_the_way() {
        let refused = Refused { step: Step::Program, errno: 2 };
        for report in [
            Report::Hello(FORM),
            Report::Began(12),
            Report::Refused(refused),
            Report::Ended(End::Status(1)),
            Report::Ended(End::Signal(9)),
        ] {
            let line = serde_json::to_string(&report).unwrap();
            assert!(!line.contains('\n'));
            assert_eq!(serde_json::from_str::<Report>(&line).unwrap(), report);
        }
        assert!(refused.to_string().contains("No such file"), "{refused}");
        assert_eq!(End::Signal(9).to_string(), "SIGKILL");
    }
}
