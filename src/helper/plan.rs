//! What a helper shall do for one stream: the streams it plays and publishes, and its arguments with
//! everything filled in. It starts nothing.

use super::config::{HelperConfig, Start};
use super::template::{Template, TemplateError, Values};
use crate::name::{NameError, StreamName};
use std::fmt;

/// The streams of a helper that runs for one stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What it runs for.
    pub stream: StreamName,
    /// What `{star}` is.
    pub star: String,
    /// What `{input}` plays.
    pub input: StreamName,
    /// What `{output}`, `{output2}` ... publish.
    pub outputs: Vec<StreamName>,
}

/// Why a helper cannot run for a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlanError {
    /// The stream is none of the helper's.
    Foreign,
    /// The name made for a stream is none. The setting, and why.
    Name(&'static str, NameError),
    /// A filter would publish what it plays.
    Circle,
    /// A text that was not checked.
    Template(TemplateError),
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign => f.write_str("the stream is none of this helper's"),
            Self::Name(key, error) => write!(f, "`{key}` makes no stream name: {error}"),
            Self::Circle => f.write_str("`output` is the stream that the helper plays"),
            Self::Template(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for PlanError {}

/// What the program is started with.
#[derive(PartialEq, Eq)]
pub struct Filled {
    /// Program and arguments.
    pub run: Vec<String>,
    /// Variables.
    pub env: Vec<(String, String)>,
}

impl Plan {
    /// Works out the names for a stream.
    ///
    /// # Errors
    /// If they are none.
    pub fn new(helper: &HelperConfig, stream: &StreamName) -> Result<Self, PlanError> {
        let star = helper.stream.star(stream).ok_or(PlanError::Foreign)?.to_owned();
        let name = |key, text: &str| {
            let template = Template::parse(text).map_err(PlanError::Template)?;
            let values = Values { stream, star: &star, rtmp: "", input: "", outputs: &[] };
            let text = template.fill(&values);
            let name = if text.contains('/') {
                StreamName::parse(text)
            } else {
                StreamName::new(stream.app(), text)
            };
            name.map_err(|error| PlanError::Name(key, error))
        };
        let input = match &helper.input {
            Some(text) => name("input", text)?,
            None => stream.clone(),
        };
        let mut outputs = Vec::new();
        for text in &helper.output {
            outputs.push(name("output", text)?);
        }
        if outputs.is_empty() && helper.start != Start::Live {
            outputs.push(stream.clone());
        }
        let plays = helper.start == Start::Live || helper.input.is_some();
        if plays && outputs.contains(&input) {
            return Err(PlanError::Circle);
        }
        Ok(Self { stream: stream.clone(), star, input, outputs })
    }

    /// Fills in arguments and environment. `rtmp` is the server's address, `urls` are those of the
    /// outputs, secrets and all.
    ///
    /// # Errors
    /// Only for a configuration that was not checked.
    pub fn fill(
        &self,
        helper: &HelperConfig,
        rtmp: &str,
        urls: &[String],
    ) -> Result<Filled, PlanError> {
        let input = format!("{rtmp}/{}", self.input);
        let values =
            Values { stream: &self.stream, star: &self.star, rtmp, input: &input, outputs: urls };
        let fill = |text: &str| {
            Template::parse(text)
                .map(|template| template.fill(&values))
                .map_err(PlanError::Template)
        };
        let run =
            helper.run.iter().map(|argument| fill(argument.reveal())).collect::<Result<_, _>>()?;
        let env = helper
            .env
            .iter()
            .map(|(name, value)| Ok((name.clone(), fill(value.reveal())?)))
            .collect::<Result<_, _>>()?;
        Ok(Filled { run, env })
    }
}

#[cfg(test)]
mod tests {
    use super::super::pattern::Pattern;
    use super::*;

    fn helper(stream: &str, start: Start, run: &[&str], output: &[&str]) -> HelperConfig {
        let stream = Pattern::parse(stream).unwrap();
        let mut helper = HelperConfig::new("h", &["true"], stream, start).unwrap();
        helper.run = run.iter().map(|&text| super::super::mask::Argument::new(text)).collect();
        helper.output = output.iter().map(|&text| text.to_owned()).collect();
        helper
    }

    fn stream(name: &str) -> StreamName {
        StreamName::parse(name).unwrap()
    }

    #[test]
    fn a_source_publishes_the_stream_that_is_wanted() {
        let camera = helper("cam_*", Start::Viewer, &["f", "rtsp://h/{star}", "{output}"], &[]);
        let plan = Plan::new(&camera, &stream("live/cam_7")).unwrap();
        let filled = plan.fill(&camera, "rtmp://s", &["rtmp://s/live/cam_7?key=x".into()]).unwrap();
        assert_eq!(filled.run, ["f", "rtsp://h/7", "rtmp://s/live/cam_7?key=x"]);
        assert_eq!(plan.outputs, [stream("live/cam_7")]);
        assert_eq!(Plan::new(&camera, &stream("live/other")), Err(PlanError::Foreign));
    }

    #[test]
    fn a_filter_publishes_other_streams_than_it_plays() {
        let ladder =
            helper("live/*", Start::Live, &["f", "{input}"], &["{name}_720p", "low/{name}"]);
        let plan = Plan::new(&ladder, &stream("live/cam")).unwrap();
        assert_eq!(plan.input, stream("live/cam"));
        assert_eq!(plan.outputs, [stream("live/cam_720p"), stream("low/cam")]);
        let circle = helper("cam", Start::Live, &["f", "{input}"], &["{name}"]);
        assert_eq!(Plan::new(&circle, &stream("live/cam")), Err(PlanError::Circle));
        let long = stream(&format!("live/{}", "n".repeat(crate::name::NAME_LEN_MAX)));
        assert!(matches!(Plan::new(&ladder, &long), Err(PlanError::Name("output", _))));
    }

    #[test]
    fn whatever_stands_in_an_argument_stays_in_it() {
        let odd = ["p", "; rm -rf {name}", "$(id) `id` \"{name}\" '", "-{name}", "a b\nc", ""];
        let odd = helper("cam", Start::Live, &odd, &[]);
        let plan = Plan::new(&odd, &stream("live/cam")).unwrap();
        let filled = plan.fill(&odd, "rtmp://s", &[]).unwrap();
        assert_eq!(filled.run, ["p", "; rm -rf cam", "$(id) `id` \"cam\" '", "-cam", "a b\nc", ""]);
    }
}
