//! The load generator as a program: building it, running it, and reading its JSON.
//!
//! Cargo names to a test the programs of its own package only. The generator belongs to another
//! one, so Cargo is asked to build it and to say where it lies; where it is built already, that
//! takes a moment.

use millstream_testkit::Scratch;
use serde_json::Value;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// What may be wrong with a frame.
const FAULTS: [&str; 7] =
    ["lost", "duplicated", "reordered", "corrupt", "unmarked", "mistimed", "mixed"];

/// What the generator found.
pub struct Report(Value);

impl Report {
    /// Runs the generator until its end.
    pub fn of_run(scratch: &Scratch, url: &str, pid: u32, arguments: &[&str]) -> Self {
        let file = scratch.file("report.json");
        let output = Command::new(program())
            .arg(url)
            .args(arguments)
            .args(["--pid", &pid.to_string()])
            .arg("--json")
            .arg(&file)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        // 3 says that the machine was too busy to believe any times. Frames are right all the same.
        assert!(matches!(output.status.code(), Some(0 | 1 | 3)), "{}: {said}", output.status);
        Self::read(&file)
    }

    /// One that a run or a merge has written.
    pub fn read(file: &Path) -> Self {
        Self(serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap())
    }

    /// Everything that is wrong with frames and connections, of players who are owed all.
    pub fn troubles(&self) -> Vec<String> {
        let mut troubles = Vec::new();
        let groups = self.0["groups"].as_array().unwrap();
        for group in groups.iter().filter(|group| group["judged"] == true) {
            for track in ["video", "audio"] {
                for fault in FAULTS {
                    let count = group[track][fault].as_u64().unwrap();
                    if count > 0 {
                        troubles.push(format!("{count} {track} frames {fault}"));
                    }
                }
            }
        }
        let errors = groups.iter().map(|group| &group["errors"]);
        for errors in errors.chain([&self.0["publishers"]["errors"]]) {
            for (kind, count) in errors.as_object().into_iter().flatten() {
                troubles.push(format!("{count} times {kind}"));
            }
        }
        troubles
    }

    /// One figure of every sample.
    pub fn series(&self, name: &str) -> Vec<u64> {
        let moments = self.0["moments"].as_array().into_iter().flatten();
        moments.filter_map(|moment| moment[name].as_u64()).collect()
    }

    /// Players that played at the end.
    pub fn playing(&self) -> u64 {
        self.number("/steps/0/playing")
    }

    /// How many times to the first frame were measured.
    pub fn joins(&self) -> u64 {
        let delays = self.0["delays"].as_array().into_iter().flatten();
        let mut joins = delays.filter(|delay| delay["time"] == "first-frame");
        joins.next().and_then(|delay| delay["percentiles"]["count"].as_u64()).unwrap_or(0)
    }

    /// Of each track its name, the frames that came, and the delays that were measured.
    pub fn tracks(&self) -> [(&'static str, u64, u64); 2] {
        ["video", "audio"].map(|track| {
            let frames = self.number(&format!("/groups/0/{track}/frames"));
            (track, frames, self.number(&format!("/steps/0/times/{track}/count")))
        })
    }

    /// What the server used of one core, and its resident bytes.
    pub fn server(&self) -> Option<(f64, u64)> {
        let server = &self.0["steps"][0]["server"];
        Some((server["cores"].as_f64()?, server["resident_bytes"].as_u64()?))
    }

    /// A fraction by its place in the JSON (RFC 6901).
    pub fn value(&self, pointer: &str) -> f64 {
        let value = self.0.pointer(pointer).and_then(Value::as_f64);
        value.unwrap_or_else(|| panic!("the report has no number {pointer}\n{self}"))
    }

    /// A number by its place in the JSON (RFC 6901).
    pub fn number(&self, pointer: &str) -> u64 {
        let value = self.0.pointer(pointer).and_then(Value::as_u64);
        value.unwrap_or_else(|| panic!("the report has no number {pointer}\n{self}"))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", self.0)
    }
}

/// The generator's program file, built.
pub fn program() -> &'static PathBuf {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let output = Command::new(env!("CARGO"))
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .args(["build", "--package", "loadtest", "--bin", "loadtest"])
            .args(["--message-format", "json-render-diagnostics"])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "the generator cannot be built:\n{said}");
        let messages = String::from_utf8_lossy(&output.stdout);
        let executable = |message: &str| {
            let message: Value = serde_json::from_str(message).ok()?;
            message["executable"].as_str().map(PathBuf::from)
        };
        messages.lines().filter_map(executable).next_back().unwrap()
    })
}
