//! What a helper's settings must fulfil, and what is said if they do not. The form of single values is
//! judged where they are parsed.

use super::config::{HelperConfig, Start};
use super::template::{Slot, Template, TemplateError};
use crate::limits::{
    HELPER_ARGUMENT_BYTES_MAX, HELPER_ARGUMENTS_MAX, HELPER_INSTANCES_MAX, HELPER_LOG_LINES_MAX,
    HELPER_OUTPUTS_MAX, HELPER_PATIENCE_MAX, HELPERS_MAX,
};
use std::fmt;
use std::time::Duration;

/// The helper that is refused, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HelperError {
    /// Its name as written.
    pub helper: String,
    /// What is wrong.
    pub fault: Fault,
}

/// What is wrong with a helper.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Its name has other characters, none, or too many.
    Name,
    /// Another helper has this name.
    Twice,
    /// There are too many helpers.
    TooMany,
    /// No program is named, or it is named by something to fill in.
    Program,
    /// There are too many arguments, or they are too long.
    Arguments,
    /// A text cannot be filled in. The setting, and why.
    Template(&'static str, TemplateError),
    /// The name of a stream may hold `{app}`, `{name}` and `{star}` only. The setting.
    NotInAName(&'static str),
    /// `{star}` without a `*` in `stream`.
    NoStar,
    /// A helper that always runs cannot run for a family.
    AlwaysOne,
    /// `{input}` is used and nothing says what that is.
    NoInput,
    /// `{output}` is used and nothing says what that is.
    NoOutput,
    /// There are too many outputs, or fewer than the arguments use.
    Outputs,
    /// The name of a variable is empty or has a `=` in it.
    Variable,
    /// The directory is not absolute.
    Directory,
    /// A number or a duration is out of its range. The setting, and the range.
    Range(&'static str, &'static str),
}

impl fmt::Display for HelperError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "helper {:?}: {}", self.helper, self.fault)
    }
}

impl std::error::Error for HelperError {}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name => f.write_str("its name shall have 1 to 64 letters, digits, - or _"),
            Self::Twice => f.write_str("another helper has this name"),
            Self::TooMany => write!(f, "there may be {HELPERS_MAX} helpers"),
            Self::Program => {
                f.write_str("`run` begins with the program, such as [\"ffmpeg\", \"-i\", ...]")
            }
            Self::Arguments => write!(
                f,
                "`run` may have {HELPER_ARGUMENTS_MAX} arguments, and with `env` \
                 {HELPER_ARGUMENT_BYTES_MAX} bytes"
            ),
            Self::Template(key, error) => write!(f, "`{key}`: {error}"),
            Self::NotInAName(key) => {
                write!(f, "`{key}` names a stream; it may hold {{app}}, {{name}} and {{star}} only")
            }
            Self::NoStar => f.write_str("{star} needs a * in `stream`"),
            Self::AlwaysOne => {
                f.write_str("start = \"always\" needs the name of one stream, without a *")
            }
            Self::NoInput => {
                f.write_str("{input} is used: say in `input` which stream the helper plays")
            }
            Self::NoOutput => {
                f.write_str("{output} is used: say in `output` which stream the helper publishes")
            }
            Self::Outputs => write!(
                f,
                "`output` lists what {{output}}, {{output2}} ... are, at most {HELPER_OUTPUTS_MAX}"
            ),
            Self::Variable => f.write_str("`env`: a variable needs a name without ="),
            Self::Directory => f.write_str("`cwd` shall be absolute"),
            Self::Range(key, range) => write!(f, "`{key}`: choose {range}"),
        }
    }
}

/// Checks each helper, and that their names differ.
pub fn check_all(helpers: &[HelperConfig]) -> Result<(), HelperError> {
    for (at, helper) in helpers.iter().enumerate() {
        let refuse = |fault| Err(HelperError { helper: helper.name.clone(), fault });
        if at >= HELPERS_MAX {
            return refuse(Fault::TooMany);
        }
        check(helper)?;
        if helpers[..at].iter().any(|other| other.name == helper.name) {
            return refuse(Fault::Twice);
        }
    }
    Ok(())
}

/// Checks one helper.
pub fn check(helper: &HelperConfig) -> Result<(), HelperError> {
    names(helper)
        .and_then(|()| texts(helper))
        .and_then(|()| ranges(helper))
        .map_err(|fault| HelperError { helper: helper.name.clone(), fault })
}

fn names(helper: &HelperConfig) -> Result<(), Fault> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !(1..=64).contains(&helper.name.len()) || !helper.name.chars().all(plain) {
        return Err(Fault::Name);
    }
    if helper.start == Start::Always && helper.stream.single().is_none() {
        return Err(Fault::AlwaysOne);
    }
    if helper.output.len() > HELPER_OUTPUTS_MAX {
        return Err(Fault::Outputs);
    }
    let inputs = helper.input.iter().map(|text| ("input", text));
    for (key, text) in inputs.chain(helper.output.iter().map(|text| ("output", text))) {
        let template = Template::parse(text).map_err(|error| Fault::Template(key, error))?;
        for slot in template.slots() {
            match slot {
                Slot::App | Slot::Name => {}
                Slot::Star if helper.stream.single().is_none() => {}
                Slot::Star => return Err(Fault::NoStar),
                Slot::Rtmp | Slot::Input | Slot::Output(_) => return Err(Fault::NotInAName(key)),
            }
        }
    }
    Ok(())
}

fn texts(helper: &HelperConfig) -> Result<(), Fault> {
    let program = helper.run.first().map_or("", |program| program.reveal());
    let fixed = Template::parse(program).is_ok_and(|program| program.slots().next().is_none());
    if program.is_empty() || !fixed {
        return Err(Fault::Program);
    }
    let run = helper.run.iter().map(|argument| ("run", argument.reveal()));
    let env = helper.env.values().map(|value| ("env", value.reveal()));
    let mut bytes = 0;
    for (key, text) in run.chain(env) {
        bytes += text.len() + 1;
        let template = Template::parse(text).map_err(|error| Fault::Template(key, error))?;
        for slot in template.slots() {
            slot_is_known(helper, slot)?;
        }
    }
    bytes += helper.env.keys().map(String::len).sum::<usize>();
    if helper.run.len() > HELPER_ARGUMENTS_MAX || bytes > HELPER_ARGUMENT_BYTES_MAX {
        return Err(Fault::Arguments);
    }
    if helper.env.keys().any(|name| name.is_empty() || name.contains(['=', '\0'])) {
        return Err(Fault::Variable);
    }
    if helper.cwd.as_ref().is_some_and(|cwd| !cwd.is_absolute()) {
        return Err(Fault::Directory);
    }
    Ok(())
}

fn slot_is_known(helper: &HelperConfig, slot: Slot) -> Result<(), Fault> {
    let by_itself = helper.start != Start::Live;
    match slot {
        Slot::App | Slot::Name | Slot::Rtmp => Ok(()),
        Slot::Star if helper.stream.single().is_some() => Err(Fault::NoStar),
        Slot::Star => Ok(()),
        Slot::Input if helper.input.is_none() && by_itself => Err(Fault::NoInput),
        Slot::Input => Ok(()),
        Slot::Output(0) if helper.output.is_empty() && !by_itself => Err(Fault::NoOutput),
        Slot::Output(0) => Ok(()),
        Slot::Output(at) if at >= helper.output.len() => Err(Fault::Outputs),
        Slot::Output(_) => Ok(()),
    }
}

fn ranges(helper: &HelperConfig) -> Result<(), Fault> {
    let hour = Duration::from_secs(3600);
    let tenth = Duration::from_millis(100);
    let second = Duration::from_secs(1);
    let rules = [
        (helper.nice <= 19, "nice", "0 to 19"),
        (helper.memory.is_none_or(|bytes| bytes >= 1 << 20), "memory", "1MiB or more"),
        ((16..=1 << 20).contains(&helper.open_files), "open_files", "16 to 1048576"),
        (helper.cpu.is_none_or(|span| span >= second), "cpu", "1s or more"),
        (helper.patience <= HELPER_PATIENCE_MAX, "patience", "at most 1m"),
        (helper.linger <= hour, "linger", "at most 1h"),
        (helper.backoff >= tenth, "backoff", "100ms or more"),
        (
            (helper.backoff..=hour).contains(&helper.backoff_max),
            "backoff_max",
            "a time from `backoff` to 1h",
        ),
        (helper.steady <= hour, "steady", "at most 1h"),
        (helper.log_lines <= HELPER_LOG_LINES_MAX, "log_lines", "at most 1000"),
        ((1..=HELPER_INSTANCES_MAX).contains(&helper.instances), "instances", "1 to 256"),
    ];
    match rules.into_iter().find(|(holds, ..)| !holds) {
        Some((_, key, range)) => Err(Fault::Range(key, range)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use figment::providers::{Format as _, Toml};

    fn complaint(text: &str) -> String {
        #[derive(Debug, serde::Deserialize)]
        struct File {
            #[serde(deserialize_with = "super::super::config::list")]
            helper: Vec<HelperConfig>,
        }
        match Toml::from_str::<File>(text) {
            Ok(file) => panic!("{:?} is accepted", file.helper),
            Err(error) => error.message().to_owned(),
        }
    }

    fn with(lines: &str) -> String {
        complaint(&format!(
            "[[helper]]\nname = \"h\"\nrun = [\"x\"]\nstart = \"live\"\nstream = \"a\"\n{lines}"
        ))
    }

    #[test]
    fn a_missing_or_unknown_setting_is_named() {
        assert!(complaint("[[helper]]\nname = \"h\"\n").contains("missing field `run`"));
        assert!(with("lingers = \"1s\"").contains("unknown field `lingers`"));
        assert!(with("patience = 10").contains("with its unit"));
    }

    #[test]
    fn each_rule_says_what_to_do() {
        for (lines, part) in [
            ("nice = 20", "helper \"h\": `nice`: choose 0 to 19"),
            ("memory = 1000", "1MiB or more"),
            ("open_files = 3", "`open_files`"),
            ("cpu = \"10ms\"", "1s or more"),
            ("patience = \"2m\"", "at most 1m"),
            ("linger = \"2h\"", "`linger`"),
            ("backoff = \"1ms\"", "100ms or more"),
            ("backoff_max = \"200ms\"", "from `backoff`"),
            ("log_lines = 9999", "at most 1000"),
            ("instances = 0", "1 to 256"),
            ("cwd = \"var\"", "absolute"),
            ("output = \"{input}\"", "names a stream"),
            ("output = \"{star}\"", "needs a * in `stream`"),
            ("input = \"{x}\"", "`input`: {x} is not known"),
            ("env = { \"A=B\" = \"1\" }", "without ="),
            ("env = { A = \"{output}\" }", "say in `output`"),
        ] {
            let message = with(lines);
            assert!(message.contains(part), "{lines}: {message}");
        }
    }

    #[test]
    fn what_a_program_is_given_must_be_known() {
        let run = |run: &str, start: &str, stream: &str| {
            complaint(&format!(
                "[[helper]]\nname = \"h\"\nrun = {run}\nstart = \"{start}\"\nstream = \"{stream}\"\n"
            ))
        };
        assert!(run("[]", "live", "a").contains("begins with the program"));
        assert!(run("[\"\"]", "live", "a").contains("begins with the program"));
        assert!(run("[\"{name}\"]", "live", "a").contains("begins with the program"));
        assert!(run("[\"x\", \"{input}\"]", "viewer", "a").contains("say in `input`"));
        assert!(run("[\"x\", \"{output}\"]", "live", "a").contains("say in `output`"));
        assert!(run("[\"x\", \"{output2}\"]", "viewer", "a").contains("{output2}"));
        assert!(run("[\"x\", \"{star}\"]", "viewer", "a").contains("needs a *"));
        assert!(run("[\"x\"]", "always", "a*").contains("without a *"));
        assert!(run("[\"x\"]", "live", "a;b").contains("0x3b"));
        assert!(run("[\"x\"]", "sometimes", "a").contains("sometimes"));
        let many = format!("[\"x\", {}]", "\"y\", ".repeat(HELPER_ARGUMENTS_MAX));
        assert!(run(&many, "live", "a").contains("arguments"));
    }

    #[test]
    fn names_are_plain_and_differ() {
        let one = |name: &str| {
            format!(
                "[[helper]]\nname = \"{name}\"\nrun = [\"x\"]\nstart = \"live\"\nstream = \"a\"\n"
            )
        };
        assert!(complaint(&one("a b")).contains("letters, digits"));
        assert!(complaint(&one("../x")).contains("letters, digits"));
        assert!(complaint(&format!("{0}{0}", one("cam"))).contains("another helper has this name"));
    }

    #[test]
    fn no_complaint_shows_a_password() {
        let message = complaint(
            "[[helper]]\nname = \"h\"\nrun = [\"x\", \"rtsp://a:hunter2@h/{x}\"]\nstart = \"live\"\nstream = \"a\"\n",
        );
        assert!(message.contains("{x}") && !message.contains("hunter2"), "{message}");
        let message = with("env = { A = [\"hunter2\"] }");
        assert!(!message.contains("hunter2"), "{message}");
    }
}
