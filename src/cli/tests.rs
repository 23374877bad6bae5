//! The command line as it is typed.

use clap::CommandFactory as _;

use super::*;

fn parse(line: &str) -> Result<Command, clap::Error> {
    Cli::try_parse_from(line.split_whitespace()).map(Cli::into_command)
}

fn serve(line: &str) -> Result<Config, ConfigError> {
    match parse(line).unwrap() {
        Command::Serve(args) => args.load([]),
        other => panic!("not serve: {other:?}"),
    }
}

#[test]
fn the_definitions_are_sound() {
    Cli::command().debug_assert();
}

#[test]
fn no_command_and_serve_are_the_same() {
    for line in ["millstream", "millstream serve"] {
        assert_eq!(serve(line).unwrap(), Config::default());
    }
    for line in ["millstream --open --hold 3s", "millstream serve --open --hold 3s"] {
        let config = serve(line).unwrap();
        assert_eq!((config.open, config.hold), (true, Duration::from_secs(3)));
    }
}

#[test]
fn every_serving_option_reaches_the_configuration() {
    let config = serve(
        "millstream --rtmp 127.0.0.1:1 --rtmp [::1]:2 --http localhost:3 --cores 0-1 \
         --latency-budget 100ms --chunk-size 64KiB --key a=secret-of-a --key b/c=secret=of=c --open \
         --takeover never --hold 0 --congestion bbr --capture /tmp/x --log debug --log-format json",
    )
    .unwrap();
    let streams: Vec<_> = config.keys.streams().map(ToString::to_string).collect();
    assert_eq!(
        config.rtmp.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["127.0.0.1:1", "[::1]:2"]
    );
    assert_eq!(config.http.to_string(), "localhost:3");
    assert_eq!(config.cores.to_string(), "0-1");
    assert_eq!(config.latency_budget.to_string(), "100ms");
    assert_eq!(config.chunk_size, 65536);
    assert_eq!(streams, ["b/c", "live/a"]);
    assert!(config.keys.publish("b", "secret=of=c", "").is_ok());
    assert!(config.open);
    assert_eq!(config.takeover, Takeover::Never);
    assert_eq!(config.hold, Duration::ZERO);
    assert_eq!(config.congestion.as_deref(), Some("bbr"));
    assert_eq!(config.capture, Some(PathBuf::from("/tmp/x")));
    assert_eq!((config.log.as_str(), config.log_format), ("debug", LogFormat::Json));
}

#[test]
fn the_other_commands_are_read() {
    let Ok(Command::Publish(args)) = parse("millstream publish a.flv rtmp://h/live/a --loop")
    else {
        panic!("not publish");
    };
    assert!(args.repeat && args.url == "rtmp://h/live/a");
    let Ok(Command::Play(args)) = parse("millstream play rtmp://h/live/a -o b.flv --duration 10s")
    else {
        panic!("not play");
    };
    assert_eq!((args.output, args.duration), (Some("b.flv".into()), Some(Duration::from_secs(10))));
    let Ok(Command::Inspect(args)) = parse("millstream inspect x --json") else {
        panic!("not inspect");
    };
    assert!(args.json && !args.step);
}

#[test]
fn mistakes_are_answered_with_what_to_write() {
    for (line, part) in [
        ("millstream --key cam1", "expected NAME=SECRET"),
        ("millstream --latency-budget 100", "duration with its unit"),
        ("millstream --cores x", "0-3,5"),
        ("millstream --rtmp 127.0.0.1", "with its port"),
        ("millstream --takeover sometimes", "if-stale"),
        ("millstream play", "<URL>"),
        ("millstream --open publish a b", "publish"),
    ] {
        let message = parse(line).unwrap_err().to_string();
        assert!(message.contains(part), "{line}: {message}");
    }
    let message = serve("millstream --chunk-size 100").unwrap_err().to_string();
    assert!(message.contains("`chunk_size` on the command line"), "{message}");
}

#[test]
fn debug_output_of_the_arguments_masks_secrets() {
    let command = parse("millstream --key cam1=hunter2hunter2").unwrap();
    assert!(!format!("{command:?}").contains("hunter2"));
}
