//! The configuration as its users meet it: files, variables, flags and complaints.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::*;

/// A file that is gone when the test ends.
struct TempFile(PathBuf);

impl TempFile {
    fn new(text: &str) -> Self {
        use std::sync::atomic::{AtomicU32, Ordering};
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let unique = format!(
            "millstream-config-{}-{}.toml",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let path = std::env::temp_dir().join(unique);
        std::fs::File::create_new(&path).unwrap().write_all(text.as_bytes()).unwrap();
        TempFile(path)
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn env(pairs: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
    pairs.iter().map(|(name, value)| (name.into(), value.into())).collect()
}

fn from_file(text: &str) -> Result<Config, ConfigError> {
    let file = TempFile::new(text);
    load(Some(&file.0), env(&[]), Overrides::default())
}

fn complaint(text: &str) -> String {
    from_file(text).unwrap_err().to_string()
}

#[test]
fn nothing_set_gives_the_defaults() {
    let config = load(None, env(&[("HOME", "/root")]), Overrides::default()).unwrap();
    assert_eq!(config, Config::default());
}

#[test]
fn later_layers_win_key_by_key() {
    let file = TempFile::new(
        "hold = \"1s\"\nplay_wait = \"1s\"\nchunk_size = 4096\n[lag]\nskip = \"1s\"\n[keys]\na = \"secret-of-a\"\n",
    );
    let env = env(&[
        ("MILLSTREAM_PLAY_WAIT", "2s"),
        ("MILLSTREAM_CHUNK_SIZE", "8192"),
        ("MILLSTREAM_LAG__HANG_UP", "9s"),
        ("MILLSTREAM_KEYS__B", "01234567"),
        ("MILLSTREAM_OPEN", "true"),
        ("MILLSTREAM_CORES", "0"),
        ("MILLSTREAM_LATENCY_BUDGET", "0"),
        ("MILLSTREAM_LAG__SKIPS_PER_MINUTE", "5"),
        ("MILLSTREAM_RTMP", "127.0.0.1:1,127.0.0.1:2"),
    ]);
    let mut overrides = Overrides::default();
    overrides.set("chunk_size", "64KiB");
    overrides.add_key("c", &Secret::new("secret-of-c"));
    let config = load(Some(&file.0), env, overrides).unwrap();

    assert_eq!(config.hold, Duration::from_secs(1));
    assert_eq!(config.play_wait, Duration::from_secs(2));
    assert_eq!(config.chunk_size, 65536);
    assert_eq!(config.lag.skip, Duration::from_secs(1));
    assert_eq!(config.lag.hang_up, Duration::from_secs(9));
    assert_eq!((config.open, config.cores.to_string().as_str()), (true, "0"));
    assert_eq!(config.latency_budget, LatencyBudget::Fixed(Duration::ZERO));
    assert_eq!(config.lag.skips_per_minute, 5);
    assert_eq!(config.rtmp.len(), 2);
    let streams: Vec<_> = config.keys.streams().map(|stream| stream.as_str()).collect();
    assert_eq!(streams, ["live/a", "live/b", "live/c"]);
    assert!(config.keys.publish("live", "b", "key=01234567").is_ok());
}

#[test]
fn the_environment_may_name_the_file() {
    let file = TempFile::new("hold = \"1s\"\n");
    let env = env(&[("MILLSTREAM_CONFIG", file.0.to_str().unwrap())]);
    assert_eq!(load(None, env, Overrides::default()).unwrap().hold, Duration::from_secs(1));
}

#[test]
fn an_unknown_key_is_named_with_its_file() {
    let file = TempFile::new("chunk_sise = 4096\n");
    let error = load(Some(&file.0), env(&[]), Overrides::default()).unwrap_err();
    let expected =
        format!("unknown setting `chunk_sise` in {}; did you mean `chunk_size`?", file.0.display());
    assert_eq!(error.to_string(), expected);

    assert!(complaint("[lag]\nskipp = \"1s\"").contains("`lag.skipp`"));
    assert!(complaint("[lag]\nskipp = \"1s\"").contains("did you mean `lag.skip`?"));
    assert!(complaint("[recording]\npath = \"x\"").contains("`recording`"));
    let error = load(None, env(&[("MILLSTREAM_HODL", "1s")]), Overrides::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "unknown setting `hodl` in the environment; did you mean `hold`?"
    );
}

#[test]
fn a_wrong_value_is_named_with_what_was_expected() {
    let message = complaint("hold = 10");
    assert!(message.contains("`hold` in /") && message.contains("with its unit"), "{message}");
    for (text, part) in [
        ("latency_budget = \"3s\"", "at most 2s"),
        ("latency_budget = \"fast\"", "expected \"auto\""),
        ("cores = \"3-1\"", "such as \"0-3,5\""),
        ("takeover = \"sometimes\"", "if-stale"),
        ("rtmp = \"127.0.0.1\"", "with its port"),
        ("rtmp = 1935", "expected text or a list"),
        ("chunk_size = true", "expected text or a whole number"),
        ("chunk_size = 4294967296", "out of all reason"),
        ("[keys]\n\"a b\" = \"secret-of-a\"", "0x20"),
        ("[keys]\na = \"\"", "empty"),
        ("[keys]\na = 12345678", "quotes"),
    ] {
        let message = complaint(text);
        assert!(message.contains(part), "{text}: {message}");
    }
}

#[test]
fn a_value_out_of_range_says_what_to_choose() {
    for (text, part) in [
        ("chunk_size = 127", "`chunk_size` in /"),
        ("chunk_size = \"11MiB\"", "from 128 bytes to 10MiB"),
        ("rtmp = []", "at least one address"),
        ("[lag]\nskip = \"20s\"", "`lag.hang_up` by default"),
        ("[timeouts]\nplayer = \"10s\"", "`timeouts.player`"),
        ("[caps]\nstreams = 0", "1 or more"),
        ("congestion = \"rm -rf\"", "such as \"cubic\""),
        ("http_token = \"short\"", "16 characters"),
    ] {
        let message = complaint(text);
        assert!(message.contains(part), "{text}: {message}");
    }
}

#[test]
fn no_complaint_shows_a_secret() {
    for text in [
        "[keys]\na = \"hunter2hunter2",
        "[keys]\na = \"hunter2 \"",
        "[keys]\na = [\"hunter2hunter2\"]",
        "[keys]\n\"a b\" = \"hunter2hunter2\"",
        "http_token = \"hunter2\"",
        "http_token = [\"hunter2\"]",
    ] {
        let error = from_file(text).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{text}: {error}");
    }
}

#[test]
fn a_broken_file_is_named_with_the_line() {
    let message = complaint("hold = \"1s\"\nrtmp = = 3\n");
    assert!(message.contains("is not valid TOML: line 2:"), "{message}");
    let error = load(Some(Path::new("/nowhere/x.toml")), env(&[]), Overrides::default());
    assert!(error.unwrap_err().to_string().contains("/nowhere/x.toml"));
}

#[test]
fn what_is_to_be_pulled_is_looked_at_before_anything_starts() {
    let pull = |lines: &str| format!("[[pull]]\n{lines}\n");
    let good = "stream = \"live/*\"\norigins = \"rtmp://a/live?key=hunter2\"\nlinger = \"0\"";
    let config = from_file(&format!("origin = \"rtmp://b?k=hunter2\"\n{}", pull(good))).unwrap();
    assert!(!format!("{config:?}").contains("hunter2"));
    let streams: Vec<_> = config.pulls().iter().map(|rule| rule.stream.to_string()).collect();
    assert_eq!(streams, ["live/*", "*/*"], "that of the edge is the last");
    let many = "\"rtmp://hunter2\", ".repeat(17);
    for (lines, said) in [
        ("stream = \"live/a\"", "missing field `origins`"),
        ("stream = \"a b\"\norigins = \"rtmp://h\"", "expected a stream or a pattern"),
        ("stream = \"a\"\norigins = \"http://hunter2\"", "rtmp://"),
        ("stream = \"a\"\norigins = \"rtmp://{name}\"", "only in the URL's path"),
        ("stream = \"a\"\norigins = []", "from 1 to 16 origins"),
        ("stream = \"*\"\norigins = \"rtmp://hunter2/live/one\"", "without `*`"),
        ("stream = \"a\"\norigins = \"rtmp://h\"\nstall = \"0\"", "a stall from 1s"),
        ("stream = \"a\"\norigins = \"rtmp://h\"\nlinger = \"2h\"", "a linger of at most 1h"),
        ("stream = \"a\"\norigins = \"rtmp://h\"\nlingers = \"2h\"", "lingers"),
        (&*format!("stream = \"a\"\norigins = [{many}]"), "from 1 to 16 origins"),
    ] {
        let complaint = complaint(&pull(lines));
        assert!(complaint.contains("pull") && complaint.contains(said), "{complaint}");
        assert!(!complaint.contains("hunter2"), "{complaint}");
    }
    let complaint = complaint("origin = \"rtmp://h/live/one\"");
    assert!(complaint.contains("`origin`") && complaint.contains("name out"), "{complaint}");
}

#[test]
fn an_exposed_address_wants_a_key_or_open() {
    let refused = from_file("rtmp = \"0.0.0.0:1935\"").unwrap().bind().unwrap_err().to_string();
    assert!(refused.contains("0.0.0.0:1935") && refused.contains("--open"), "{refused}");
    assert!(from_file("http = \"0.0.0.0:0\"").unwrap().bind().is_err());
    assert!(from_file("rtmp = \"[::]:1935\"").unwrap().bind().is_err());
    assert!(from_file("open = true\nrtmp = \"0.0.0.0:1935\"").unwrap().bind().is_ok());
    let keyed = "http = \"0.0.0.0:8080\"\n[keys]\na = \"secret-of-a\"";
    assert!(from_file(keyed).unwrap().bind().unwrap().http_is_exposed());
    let bind = from_file("rtmp = [\"127.0.0.2:5\", \"127.0.0.2:5\"]").unwrap().bind().unwrap();
    assert_eq!((bind.rtmp.len(), bind.http_is_exposed()), (1, false));
}

#[test]
fn what_is_to_be_pushed_is_looked_at_before_anything_starts() {
    let push = |lines: &str| format!("[[push]]\n{lines}\n");
    let good = "stream = \"live/*\"\nurl = \"rtmp://h/app\"\nkey = \"{name}?s=hunter2\"";
    let config = from_file(&push(good)).unwrap();
    assert_eq!(config.push.len(), 1);
    assert!(!format!("{config:?}").contains("hunter2"));
    for (lines, said) in [
        ("stream = \"live/a\"", "missing field `url`"),
        ("stream = \"live/a\"\nurl = \"rtmp://h/app/k\"\nkeyy = \"hunter2\"", "keyy"),
        ("stream = \"live/a\"\nurl = \"http://h/app\"\nkey = \"hunter2\"", "rtmp://"),
        ("stream = \"live/*\"\nurl = \"rtmp://h/app\"\nkey = \"hunter2\"", "{name}"),
        ("stream = \"cam\"\nurl = \"rtmp://h/app\"\nkey = \"hunter2\"", "live/cam1"),
    ] {
        let complaint = complaint(&push(lines));
        assert!(complaint.contains("push") && complaint.contains(said), "{complaint}");
        assert!(!complaint.contains("hunter2"), "{complaint}");
    }
}

const EXAMPLE: &str = include_str!("../../docs/millstream.toml");

#[test]
fn the_example_file_says_the_defaults() {
    assert_eq!(from_file(EXAMPLE).unwrap(), Config::default());
}

/// Settings without a default stand in the file as comments, `#capture = ...`; uncommented, they
/// must be valid too, and then every key there is has been shown.
#[test]
fn the_example_file_shows_every_key() {
    let text: String = EXAMPLE
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(rest) if rest.starts_with(|c: char| c.is_ascii_lowercase() || c == '[') => rest,
            _ => line,
        })
        .fold(String::new(), |text, line| text + line + "\n");
    let config = from_file(&text).unwrap();
    assert!(!config.keys.is_empty() && config.push[0].ca.is_some());
    assert_eq!(config.helper[0].cpu, Some(Duration::from_secs(86_400)));

    let defaults = serde_json::to_value(Config::default()).unwrap();
    for (key, value) in defaults.as_object().unwrap() {
        let table = value.as_object().filter(|_| key != "keys");
        match table {
            Some(table) => {
                let section = text.split(&format!("\n[{key}]\n")).nth(1).expect(key);
                let section = section.split("\n[").next().unwrap();
                for inner in table.keys() {
                    assert!(has_key(section, inner), "{key}.{inner} is missing");
                }
            }
            None => assert!(
                has_key(&text, key) || text.contains(&format!("[{key}]")),
                "{key} is missing"
            ),
        }
    }
}

fn has_key(text: &str, key: &str) -> bool {
    text.lines().any(|line| line.split_once(" = ").is_some_and(|(found, _)| found == key))
}
