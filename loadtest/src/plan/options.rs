//! What a user may say of a run: the options of the command line, which are also the keys of a
//! scenario file.
//!
//! A scenario file (TOML) has the same names, and tables for what an option cannot say: `publishing`
//! and `group`. What the command line says goes before the file.

use super::{
    Group, Manner, Patience, Plan, Playing, Profile, Publishing, Slow, Span, Step, Target, UrlError,
};
use crate::media::clip::Clip;
use crate::media::shape::Shape;
use crate::media::source::Source;
use serde::Deserialize;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// What a user may say of a run.
#[derive(Clone, Debug, Default, clap::Args, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// What the run is called in its report [default: the profile].
    #[arg(long, value_name = "TEXT", help_heading = "Load")]
    pub title: Option<String>,
    /// How publishers and players behave [default: steady].
    #[arg(long, value_enum, value_name = "PROFILE", help_heading = "Load")]
    pub profile: Option<Profile>,
    /// Streams to publish, each by a publisher of its own; 0 if another loadtest publishes them
    /// [default: 1; 4 in the profile mixed].
    #[arg(long, value_name = "COUNT", help_heading = "Load")]
    pub publishers: Option<u32>,
    /// Players, in all; 0 only publishes [default: 1000, or as many as fit if no URL is given].
    #[arg(long, value_name = "COUNT", help_heading = "Load")]
    pub players: Option<usize>,
    /// How long to measure once all players play [default: 20].
    #[arg(long, value_name = "SECONDS", help_heading = "Load")]
    pub seconds: Option<f64>,
    /// Instead of --players and --seconds: several stretches, such as 50:10,1500:60,50:30; a third
    /// number is the time over which players come, in seconds.
    #[arg(
        long,
        conflicts_with_all = ["players", "seconds"],
        value_name = "PLAYERS:SECONDS[:OVER],...",
        value_delimiter = ',',
        help_heading = "Load"
    )]
    pub steps: Vec<String>,
    /// Spread the players over this many of the streams [default: all].
    #[arg(long, value_name = "COUNT", help_heading = "Load")]
    pub streams: Option<u32>,
    /// The number of the first stream, so that several generators share one server [default: 0].
    #[arg(long, value_name = "NUMBER", help_heading = "Load")]
    pub first_stream: Option<u32>,
    /// Publishers come evenly over this time [default: as fast as they can].
    #[arg(long, value_name = "TIME", help_heading = "Load")]
    pub publisher_ramp: Option<Span>,
    /// From when all publishers are accepted until the first player comes [default: 1.5s].
    #[arg(long, value_name = "TIME", help_heading = "Load")]
    pub lead: Option<Span>,

    /// Publish these FLV files, stream by stream in turn, instead of a generated stream.
    #[arg(long, value_name = "FILE", help_heading = "Media")]
    pub file: Vec<PathBuf>,
    /// Megabits per second of a generated stream; several for streams in turn [default: 2.63].
    #[arg(long, value_name = "MBIT,...", value_delimiter = ',', help_heading = "Media")]
    pub bitrate: Vec<f64>,
    /// Pictures per second of a generated stream [default: 30].
    #[arg(long, value_name = "COUNT", help_heading = "Media")]
    pub fps: Option<u32>,
    /// Media seconds to publish per second: 2 is twice as fast as real time [default: 1].
    #[arg(long, value_name = "FACTOR", help_heading = "Media")]
    pub speed: Option<f64>,

    /// Rest between rounds; 0 reads everything the moment it arrives [default: 2ms].
    #[arg(long, value_name = "TIME", help_heading = "Generator")]
    pub nap: Option<Span>,
    /// Run a thread of the generator on each of these cores [default: the last one].
    #[arg(long, value_name = "CORE,...", value_delimiter = ',', help_heading = "Generator")]
    pub cores: Vec<usize>,
    /// Connections under way at one time, of each thread [default: 32; without end in a storm].
    #[arg(long, value_name = "COUNT", help_heading = "Generator")]
    pub connecting: Option<usize>,
    /// Come from so many addresses of 127.0.0.0/8 [default: one for every 2000 connections].
    #[arg(long, value_name = "COUNT", help_heading = "Generator")]
    pub addresses: Option<u32>,
    /// Congestion control of the generator's sockets, such as cubic [default: the system's].
    #[arg(long, value_name = "NAME", help_heading = "Generator")]
    pub congestion: Option<String>,
    /// Let marks carry the time of day: for publishers on one host and players on another, whose
    /// clocks are kept together.
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_name = "BOOL", help_heading = "Generator")]
    pub wall_clock: Option<bool>,

    /// Compare every byte of one player in so many [default: 16].
    #[arg(long, value_name = "COUNT", help_heading = "Checks")]
    pub compare: Option<u64>,
    /// Count frames as late that take longer [default: 1s].
    #[arg(long, value_name = "TIME", help_heading = "Checks")]
    pub late: Option<Span>,
    /// How long a connection, a handshake, an answer, a first frame or a silence may take [default:
    /// 10s, a first frame 15s].
    #[arg(long, value_name = "TIME", help_heading = "Checks")]
    pub patience: Option<Span>,
    /// Fail if this holds, such as 'p99>50ms' or 'lost>0'; may be given several times. Then only the
    /// conditions decide; without any, every fault and every error fails. `loadtest report --help`
    /// lists what they can look at.
    #[arg(long, value_name = "CONDITION", help_heading = "Checks")]
    pub fail_if: Vec<String>,

    /// Time between two samples [default: 1s].
    #[arg(long, value_name = "TIME", help_heading = "Report")]
    pub sample: Option<Span>,

    /// How publishers behave, in place of the profile's way.
    #[arg(skip)]
    pub publishing: Option<PublishingTable>,
    /// The groups of players, in place of the profile's.
    #[arg(skip)]
    pub group: Vec<GroupTable>,
}

/// `[publishing]` of a scenario file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", tag = "behaviour")]
pub enum PublishingTable {
    /// They come and stay.
    Steady,
    /// They go and come again.
    Flapping {
        /// How long they stay.
        stay: Span,
        /// How long they are away.
        away: Span,
        /// How they go.
        #[serde(default)]
        manner: Manner,
    },
    /// Two want each stream.
    Duel {
        /// How often whoever does not have it asks.
        every: Span,
    },
}

/// `[[group]]` of a scenario file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct GroupTable {
    name: String,
    #[serde(default = "one")]
    share: u32,
    /// Goes after about this time, together with `away`.
    stay: Option<Span>,
    away: Option<Span>,
    #[serde(default)]
    manner: Manner,
    /// Reads through a receive buffer of so many bytes.
    receive_buffer: Option<usize>,
    /// Reads so many bytes a second, one by one.
    bytes_per_second: Option<u32>,
    /// Reads nothing once it plays.
    #[serde(default)]
    stopped: bool,
}

fn one() -> u32 {
    1
}

/// Why options make no plan.
#[derive(Debug)]
pub enum OptionsError {
    /// A URL is none.
    Url(UrlError),
    /// A file cannot be used.
    File(PathBuf, String),
    /// An option's value cannot be: its name, and what is expected.
    Value(&'static str, String),
}

impl fmt::Display for OptionsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(error) => write!(f, "{error}"),
            Self::File(path, why) => write!(f, "{}: {why}", path.display()),
            Self::Value(name, expected) => write!(f, "{name}: {expected}"),
        }
    }
}

impl std::error::Error for OptionsError {}

impl From<UrlError> for OptionsError {
    fn from(error: UrlError) -> Self {
        Self::Url(error)
    }
}

impl Options {
    /// Reads a scenario file.
    ///
    /// # Errors
    /// If it cannot be read, or says what is not known.
    pub fn from_file(path: &Path) -> Result<Self, OptionsError> {
        let fail = |why: String| OptionsError::File(path.to_owned(), why);
        let text = std::fs::read_to_string(path).map_err(|error| fail(error.to_string()))?;
        let mut options: Self = toml::from_str(&text).map_err(|error| fail(error.to_string()))?;
        // Files are named from where the scenario stands.
        let folder = path.parent().unwrap_or(Path::new(""));
        for file in &mut options.file {
            *file = folder.join(&*file);
        }
        Ok(options)
    }

    /// What is said here, and where nothing is, what `other` says.
    pub fn or(self, other: Self) -> Self {
        fn list<T>(own: Vec<T>, other: Vec<T>) -> Vec<T> {
            if own.is_empty() { other } else { own }
        }
        // A number of players on the command line is another run than the file's steps.
        let counted = self.players.is_some() || self.seconds.is_some();
        let steps = if counted { Vec::new() } else { other.steps };
        Self {
            title: self.title.or(other.title),
            profile: self.profile.or(other.profile),
            publishers: self.publishers.or(other.publishers),
            players: self.players.or(other.players),
            seconds: self.seconds.or(other.seconds),
            steps: list(self.steps, steps),
            streams: self.streams.or(other.streams),
            first_stream: self.first_stream.or(other.first_stream),
            publisher_ramp: self.publisher_ramp.or(other.publisher_ramp),
            lead: self.lead.or(other.lead),
            file: list(self.file, other.file),
            bitrate: list(self.bitrate, other.bitrate),
            fps: self.fps.or(other.fps),
            speed: self.speed.or(other.speed),
            nap: self.nap.or(other.nap),
            cores: list(self.cores, other.cores),
            connecting: self.connecting.or(other.connecting),
            addresses: self.addresses.or(other.addresses),
            congestion: self.congestion.or(other.congestion),
            wall_clock: self.wall_clock.or(other.wall_clock),
            compare: self.compare.or(other.compare),
            late: self.late.or(other.late),
            patience: self.patience.or(other.patience),
            fail_if: list(self.fail_if, other.fail_if),
            sample: self.sample.or(other.sample),
            publishing: self.publishing.or(other.publishing),
            group: list(self.group, other.group),
        }
    }

    /// Whether several streams are meant, so that their names need numbers.
    pub fn is_numbered(&self) -> bool {
        let publishers = self.publishers();
        publishers > 1
            || publishers == 0 && self.streams.unwrap_or(1) > 1
            || self.first_stream.is_some()
    }

    /// How long a run of them takes at the least, for showing how far it has come.
    pub fn planned(&self) -> Duration {
        let Ok(target) = Target::from_url("rtmp://127.0.0.1/live/x", false, false) else {
            return Duration::ZERO;
        };
        let Ok(plan) = (Self { file: Vec::new(), ..self.clone() }).plan(target) else {
            return Duration::ZERO;
        };
        let steps: Duration = plan.steps.iter().map(|step| step.over + step.length).sum();
        plan.publishers.over + plan.lead + steps
    }

    fn publishers(&self) -> u32 {
        let profile = self.profile.unwrap_or_default();
        self.publishers.unwrap_or(profile.publishers())
    }

    /// Makes a plan of them.
    ///
    /// # Errors
    /// If a value cannot be.
    pub fn plan(&self, target: Target) -> Result<Plan, OptionsError> {
        let value = |name, expected: &str| Err(OptionsError::Value(name, expected.to_owned()));
        let length = match self.seconds.unwrap_or(20.0) {
            seconds if (0.1..=1e6).contains(&seconds) => Duration::from_secs_f64(seconds),
            _ => return value("--seconds", "expected a number of seconds from 0.1 to 1,000,000"),
        };
        let players = self.players.unwrap_or(1000);
        let mut plan = Plan::steady(target, players, length);
        self.profile.unwrap_or_default().apply(players, length, &mut plan);
        if let Some(title) = &self.title {
            plan.title.clone_from(title);
        }
        if !self.steps.is_empty() {
            let read = |text: &String| {
                text.parse().map_err(|error: super::StepError| {
                    OptionsError::Value("--steps", error.to_string())
                })
            };
            plan.steps = self.steps.iter().map(read).collect::<Result<Vec<Step>, _>>()?;
        }
        let count = self.publishers();
        if count > 100_000 {
            return value("--publishers", "expected at most 100000");
        }
        plan.publishers.count = count;
        plan.publishers.first = match self.first_stream.unwrap_or(0) {
            first if first <= 1_000_000_000 => first,
            _ => return value("--first-stream", "expected at most 1000000000"),
        };
        if self.streams.is_some_and(|streams| streams > 100_000) {
            return value("--streams", "expected at most 100000");
        }
        plan.publishers.over = self.publisher_ramp.map_or(Duration::ZERO, |span| span.0);
        plan.publishers.speed = match self.speed.unwrap_or(1.0) {
            speed if (0.01..=1000.0).contains(&speed) => speed,
            _ => return value("--speed", "expected a factor from 0.01 to 1000"),
        };
        plan.played = match count {
            0 => self.streams.unwrap_or(1).max(1),
            count => self.streams.unwrap_or(count).clamp(1, count),
        };
        if let Some(publishing) = &self.publishing {
            plan.publishers.behaviour = publishing.behaviour();
        }
        if !self.group.is_empty() {
            let groups = self.group.iter().map(GroupTable::group);
            plan.groups = groups.collect::<Result<Vec<_>, _>>()?;
            if plan.groups.iter().all(|group| group.share == 0) {
                return value("group", "one must have a share of the players");
            }
        }
        self.fill_sources(&mut plan)?;
        self.fill_rest(&mut plan)?;
        Ok(plan)
    }

    fn fill_sources(&self, plan: &mut Plan) -> Result<(), OptionsError> {
        if !self.file.is_empty() {
            let open = |path: &PathBuf| {
                Clip::open(path)
                    .map(|clip| Arc::new(Source::File(clip)))
                    .map_err(|error| OptionsError::File(path.clone(), error.to_string()))
            };
            plan.sources = self.file.iter().map(open).collect::<Result<_, _>>()?;
            return Ok(());
        }
        if self.bitrate.is_empty() && self.fps.is_none() {
            return Ok(());
        }
        let fps = self.fps.unwrap_or(30);
        if !(1..=1000).contains(&fps) {
            return Err(OptionsError::Value("--fps", "expected 1 to 1000".to_owned()));
        }
        let default = [2.63];
        let bitrates = if self.bitrate.is_empty() { &default[..] } else { &self.bitrate };
        plan.sources.clear();
        for megabits in bitrates {
            if !(0.05..=1000.0).contains(megabits) {
                let expected = "expected 0.05 to 1000 megabits per second".to_owned();
                return Err(OptionsError::Value("--bitrate", expected));
            }
            let shape = Shape::new((megabits * 1e6) as u64, fps);
            plan.sources.push(Arc::new(Source::Generated(shape)));
        }
        Ok(())
    }

    fn fill_rest(&self, plan: &mut Plan) -> Result<(), OptionsError> {
        let time = |span: Option<Span>, default: Duration| span.map_or(default, |span| span.0);
        plan.lead = time(self.lead, plan.lead);
        plan.nap = time(self.nap, plan.nap);
        plan.late = time(self.late, plan.late);
        plan.sample = time(self.sample, plan.sample);
        if plan.nap > Duration::from_millis(500) {
            let expected = "expected at most 500ms".to_owned();
            return Err(OptionsError::Value("--nap", expected));
        }
        if !(Duration::from_millis(50)..=Duration::from_secs(60)).contains(&plan.sample) {
            let expected = "expected 50ms to 60s".to_owned();
            return Err(OptionsError::Value("--sample", expected));
        }
        if let Some(Span(patience)) = self.patience {
            plan.patience = Patience {
                connect: patience,
                handshake: patience,
                request: patience,
                first_frame: patience,
                stall: patience,
            };
        }
        let here = crate::host::cores::allowed();
        if let Some(core) = self.cores.iter().find(|core| !here.contains(core)) {
            let here: Vec<String> = here.iter().map(usize::to_string).collect();
            let expected =
                format!("core {core} is not open to this process; choose among {}", here.join(","));
            return Err(OptionsError::Value("--cores", expected));
        }
        if !self.cores.is_empty() {
            plan.cores.clone_from(&self.cores);
            plan.cores.sort_unstable();
            plan.cores.dedup();
        }
        plan.connecting_max = self.connecting.unwrap_or(plan.connecting_max).max(1);
        plan.addresses = self.addresses.unwrap_or(0).min(16_000_000);
        plan.congestion.clone_from(&self.congestion);
        plan.wall_clock = self.wall_clock.unwrap_or(false);
        plan.compared_of = self.compare.unwrap_or(plan.compared_of).max(1);
        Ok(())
    }
}

impl PublishingTable {
    fn behaviour(&self) -> Publishing {
        match self {
            Self::Steady => Publishing::Steady,
            Self::Flapping { stay, away, manner } => {
                Publishing::Flapping { stay: stay.0, away: away.0, manner: *manner }
            }
            Self::Duel { every } => Publishing::Duel { every: every.0 },
        }
    }
}

impl GroupTable {
    fn group(&self) -> Result<Group, OptionsError> {
        let slow = [
            self.receive_buffer.map(Slow::Window),
            self.bytes_per_second.map(Slow::Trickle),
            self.stopped.then_some(Slow::Stopped),
        ];
        let mut ways: Vec<Playing> = slow.into_iter().flatten().map(Playing::Slow).collect();
        if let (Some(stay), Some(away)) = (self.stay, self.away) {
            ways.push(Playing::Flapping { stay: stay.0, away: away.0, manner: self.manner });
        }
        if self.bytes_per_second == Some(0) {
            return Err(self.error("bytes-per-second is at least 1; stopped reads nothing"));
        }
        let halved = self.stay.is_some() != self.away.is_some();
        match ways[..] {
            _ if halved => Err(self.error("stay and away belong together")),
            [] => Ok(self.with(Playing::Stay)),
            [way] => Ok(self.with(way)),
            _ => Err(self.error("a group behaves in one way")),
        }
    }

    fn with(&self, behaviour: Playing) -> Group {
        Group { name: self.name.clone(), share: self.share, behaviour }
    }

    fn error(&self, why: &str) -> OptionsError {
        OptionsError::Value("group", format!("{}: {why}", self.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target() -> Target {
        Target::from_url("rtmp://127.0.0.1/live/cam", false, false).unwrap()
    }

    #[test]
    fn a_scenario_makes_a_plan_and_the_command_line_goes_before_it() {
        let file: Options = toml::from_str(
            r#"
            title = "evening"
            publishers = 3
            steps = ["10:1", "20:2:3"]
            bitrate = [1.0, 2.0]
            nap = "0"
            fail-if = ["p99>50ms"]
            [publishing]
            behaviour = "flapping"
            stay = "5s"
            away = "500ms"
            manner = "abrupt"
            [[group]]
            name = "healthy"
            share = 3
            [[group]]
            name = "asleep"
            stopped = true
            "#,
        )
        .unwrap();
        let plan = file.clone().plan(target()).unwrap();
        assert_eq!((plan.title.as_str(), plan.publishers.count, plan.played), ("evening", 3, 3));
        assert_eq!((plan.steps.len(), plan.sources.len(), plan.groups.len()), (2, 2, 2));
        assert!(plan.nap.is_zero());
        assert_eq!(plan.divide(40), [30, 10]);
        assert!(matches!(
            plan.publishers.behaviour,
            Publishing::Flapping { manner: Manner::Abrupt, .. }
        ));
        let said = Options { players: Some(7), publishers: Some(1), ..Options::default() };
        let plan = said.or(file).plan(target()).unwrap();
        assert_eq!((plan.publishers.count, plan.steps[0].players, plan.steps.len()), (1, 7, 1));
    }

    #[test]
    fn the_scenarios_that_come_with_it_make_plans() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../perf/scenarios");
        let mut seen = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "toml") {
                let options = Options::from_file(&path).unwrap();
                options.plan(target()).unwrap();
                for condition in &options.fail_if {
                    condition.parse::<crate::report::condition::Condition>().unwrap();
                }
                seen += 1;
            }
        }
        assert!(seen >= 5);
    }

    #[test]
    fn the_scenario_in_the_documentation_makes_a_plan() {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/loadtest.md");
        let page = std::fs::read_to_string(page).unwrap();
        let (_, rest) = page.split_once("```toml\n").unwrap();
        let (scenario, _) = rest.split_once("```").unwrap();
        let options: Options = toml::from_str(scenario).unwrap();
        let plan = options.plan(target()).unwrap();
        assert_eq!((plan.publishers.count, plan.groups.len(), plan.steps.len()), (50, 2, 2));
    }

    #[test]
    fn what_cannot_be_is_said_by_name() {
        for wrong in ["titel = 'x'", "[publishing]\nbehaviour = 'lazy'", "nap = '5'"] {
            assert!(toml::from_str::<Options>(wrong).is_err(), "{wrong}");
        }
        for (wrong, name) in [
            ("seconds = -1.0", "--seconds"),
            ("speed = 0.0", "--speed"),
            ("bitrate = [0.0]", "--bitrate"),
            ("fps = 0", "--fps"),
            ("streams = 4000000000", "--streams"),
            ("first-stream = 4294967295", "--first-stream"),
            ("[[group]]\nname = 'a'\nbytes-per-second = 0", "group"),
            ("[[group]]\nname = 'a'\nshare = 0", "group"),
            ("nap = '2s'", "--nap"),
            ("sample = '1ms'", "--sample"),
            ("cores = [4096]", "--cores"),
            ("steps = ['x']", "--steps"),
            ("file = ['/nonexistent.flv']", "/nonexistent.flv"),
            ("[[group]]\nname = 'a'\nstay = '1s'", "group"),
            ("[[group]]\nname = 'a'\nstopped = true\nreceive-buffer = 5", "group"),
        ] {
            let options: Options = toml::from_str(wrong).unwrap();
            let error = options.plan(target()).unwrap_err().to_string();
            assert!(error.starts_with(name), "{wrong}: {error}");
        }
    }
}
