//! A child process under guard: captured output, a deadline, and death with its owner.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::error::{Error, Result};
use crate::scratch::Scratch;
use crate::tools;

/// How often a waiting call looks again.
const POLL: Duration = Duration::from_millis(20);

/// How many bytes of a process's output an error carries.
const OUTPUT_TAIL_MAX: usize = 4000;

/// A program to be run, and whether as somebody else.
#[derive(Debug)]
pub struct Invocation {
    program: PathBuf,
    args: Vec<String>,
    env: Vec<(String, String)>,
    unprivileged: bool,
}

impl Invocation {
    /// Looks the program up in `PATH`.
    pub fn tool(name: &str) -> Result<Self> {
        Ok(Self::path(tools::find(name)?))
    }

    /// Takes the program at this path.
    #[must_use]
    pub fn path(program: impl Into<PathBuf>) -> Self {
        Self { program: program.into(), args: Vec::new(), env: Vec::new(), unprivileged: false }
    }

    /// Appends arguments.
    #[must_use]
    pub fn args<S: Into<String>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.env.push((name.to_owned(), value.into()));
        self
    }

    /// Runs the program as `nobody` where the tests run as root.
    #[must_use]
    pub fn unprivileged(mut self) -> Self {
        self.unprivileged = true;
        self
    }

    /// The command line. `setpriv` asks the kernel to kill the program with the thread that
    /// started it, so that nothing outlives a test binary that is itself killed.
    fn command(&self) -> Result<Command> {
        let mut command = Command::new(tools::find("setpriv")?);
        command.args(["--pdeathsig", "KILL"]);
        if self.unprivileged && rustix::process::geteuid().is_root() {
            command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
        }
        command.arg("--").arg(&self.program).args(&self.args);
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        Ok(command)
    }
}

/// A running program. Dropping it kills the program.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    output: PathBuf,
    started: Instant,
    limit: Duration,
}

impl Process {
    /// Starts the program with its output (both streams) going to `<name>.log` in `scratch`.
    ///
    /// `limit` counts from now and bounds every later wait.
    pub fn start(
        scratch: &Scratch,
        name: &str,
        invocation: &Invocation,
        limit: Duration,
    ) -> Result<Self> {
        let output = scratch.file(&format!("{name}.log"));
        let log =
            File::create(&output).map_err(Error::io(format!("create {}", output.display())))?;
        let log_too = log.try_clone().map_err(Error::io("duplicate the log's descriptor"))?;
        let child = invocation
            .command()?
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(log_too)
            .spawn()
            .map_err(Error::io(format!("start {name}")))?;
        Ok(Self { name: name.to_owned(), child, output, started: Instant::now(), limit })
    }

    /// The name given at the start.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The process id, for measurements.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The file that collects the program's output.
    #[must_use]
    pub fn output_file(&self) -> &Path {
        &self.output
    }

    /// Everything written so far, bytes that are not UTF-8 replaced.
    #[must_use]
    pub fn output(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.output).unwrap_or_default()).into_owned()
    }

    /// How the program ended, if it did.
    pub fn exited(&mut self) -> Result<Option<ExitStatus>> {
        self.child.try_wait().map_err(Error::io(format!("wait for {}", self.name)))
    }

    /// Waits until the program ends, however it ends.
    pub fn wait(&mut self) -> Result<ExitStatus> {
        loop {
            if let Some(status) = self.exited()? {
                return Ok(status);
            }
            if self.started.elapsed() > self.limit {
                self.kill();
                return Err(Error::Timeout {
                    process: self.name.clone(),
                    after: self.limit,
                    output: self.output_tail(),
                });
            }
            thread::sleep(POLL);
        }
    }

    /// Waits until the program ends with status 0.
    pub fn wait_success(&mut self) -> Result<()> {
        let status = self.wait()?;
        if status.success() {
            return Ok(());
        }
        Err(Error::Exit { process: self.name.clone(), status, output: self.output_tail() })
    }

    /// Waits until `ready` holds; the program must still be running then.
    pub fn wait_until(
        &mut self,
        awaited: &'static str,
        mut ready: impl FnMut(&Self) -> bool,
    ) -> Result<()> {
        while !ready(self) {
            if self.exited()?.is_some() || self.started.elapsed() > self.limit {
                return Err(Error::NotReady {
                    process: self.name.clone(),
                    awaited,
                    output: self.output_tail(),
                });
            }
            thread::sleep(POLL);
        }
        Ok(())
    }

    /// Checks that the program is still running and that no thread of it has panicked so far.
    pub fn check_unharmed(&mut self) -> Result<()> {
        let (process, output) = (self.name.clone(), self.output_tail());
        if let Some(status) = self.exited()? {
            return Err(Error::Exit { process, status, output });
        }
        if self.output().contains("panicked at") {
            return Err(Error::Panicked { process, output });
        }
        Ok(())
    }

    /// Asks the program to end, as Ctrl-C would.
    pub fn interrupt(&mut self) -> Result<()> {
        self.signal(Signal::INT)
    }

    /// Asks the program to end, as a service manager would.
    pub fn terminate(&mut self) -> Result<()> {
        self.signal(Signal::TERM)
    }

    fn signal(&mut self, signal: Signal) -> Result<()> {
        // Until it was waited for, the id cannot belong to another process.
        if self.exited()?.is_none() {
            kill_process(Pid::from_child(&self.child), signal)
                .map_err(|errno| Error::io(format!("signal {}", self.name))(errno.into()))?;
        }
        Ok(())
    }

    /// Ends the program at once.
    pub fn kill(&mut self) {
        // Both fail only if the process is gone already, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn output_tail(&self) -> String {
        let output = self.output();
        let mut from = output.len().saturating_sub(OUTPUT_TAIL_MAX);
        while !output.is_char_boundary(from) {
            from += 1;
        }
        output[from..].to_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(scratch: &Scratch, script: &str, limit: Duration) -> Process {
        let invocation = Invocation::tool("sh").unwrap().args(["-c", script]);
        Process::start(scratch, "shell", &invocation, limit).unwrap()
    }

    #[test]
    fn a_failure_carries_what_was_written() {
        let scratch = Scratch::new("process").unwrap();
        let mut process = shell(&scratch, "echo to out; echo to err >&2; exit 3", Duration::MAX);
        let error = process.wait_success().unwrap_err();
        let text = error.to_string();
        assert!(matches!(error, Error::Exit { .. }), "{text}");
        assert!(text.contains("to out") && text.contains("to err"), "{text}");
    }

    #[test]
    fn the_deadline_kills() {
        let scratch = Scratch::new("process").unwrap();
        let mut process = shell(&scratch, "exec sleep 60", Duration::from_millis(50));
        assert!(matches!(process.wait(), Err(Error::Timeout { .. })));
        assert!(process.exited().unwrap().is_some());
    }

    #[test]
    fn a_panic_or_an_early_end_is_harm() {
        let scratch = Scratch::new("process").unwrap();
        let mut well = shell(&scratch, "echo fine; exec sleep 60", Duration::MAX);
        well.wait_until("words", |process| !process.output().is_empty()).unwrap();
        well.check_unharmed().unwrap();
        let mut panics = shell(&scratch, "echo panicked at x.rs; exec sleep 60", Duration::MAX);
        panics.wait_until("words", |process| !process.output().is_empty()).unwrap();
        assert!(matches!(panics.check_unharmed(), Err(Error::Panicked { .. })));
        let mut ends = shell(&scratch, "true", Duration::MAX);
        ends.wait().unwrap();
        assert!(matches!(ends.check_unharmed(), Err(Error::Exit { .. })));
    }

    #[test]
    fn dropping_kills() {
        let scratch = Scratch::new("process").unwrap();
        let process = shell(&scratch, "exec sleep 60", Duration::from_secs(60));
        let proc_entry = PathBuf::from(format!("/proc/{}", process.id()));
        assert!(proc_entry.exists());
        drop(process);
        assert!(!proc_entry.exists());
    }

    #[test]
    fn waiting_for_a_point_that_never_comes_ends_with_the_process() {
        let scratch = Scratch::new("process").unwrap();
        let mut process = shell(&scratch, "echo no", Duration::from_secs(60));
        let waited = process.wait_until("a yes", |process| process.output().contains("yes"));
        assert!(matches!(waited, Err(Error::NotReady { awaited: "a yes", .. })));
    }
}
