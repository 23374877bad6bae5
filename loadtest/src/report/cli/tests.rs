//! The commands, from their command lines to their files.

use super::*;
use crate::report::{Verdict, samples};
use clap::{CommandFactory as _, Parser};

#[derive(Debug, Parser)]
enum Cli {
    Report(ReportArgs),
    Merge(MergeArgs),
}

fn run(line: &[&str]) -> Result<u8, String> {
    let line = std::iter::once(&"loadtest").chain(line);
    match Cli::try_parse_from(line).map_err(|error| error.to_string())? {
        Cli::Report(args) => report(&args).map_err(|error| error.to_string()),
        Cli::Merge(args) => merge(&args).map_err(|error| error.to_string()),
    }
}

/// A directory that is gone at the end.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("loadtest-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.join(name)).unwrap()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn the_arguments_are_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn reports_become_a_page_a_plot_and_a_series() {
    let directory = Directory::new("report");
    let [a, b, html, svg, md] =
        ["a.json", "b.json", "x.html", "x.svg", "x.md"].map(|name| directory.path(name));
    file::write(&samples::report(), Path::new(&a)).unwrap();
    file::write(&Report::of(&samples::rough(), &[]), Path::new(&b)).unwrap();
    let line = ["report", &a, &b, "--html", &html, "--svg", &svg, "--series", &md];
    assert_eq!(run(&line), Ok(0));
    assert!(directory.read("x.html").starts_with("<!doctype html>"));
    assert!(directory.read("x.svg").starts_with("<svg "));
    assert!(directory.read("x.md").starts_with("| at s |"));
    assert_eq!(run(&["report", &a, "--svg", &svg, "--time", "first-frame"]), Ok(0));
    assert!(directory.read("x.svg").contains("first frame"));
}

#[test]
fn runs_can_be_judged_anew() {
    let directory = Directory::new("judge");
    let a = directory.path("a.json");
    file::write(&samples::report(), Path::new(&a)).unwrap();
    assert_eq!(run(&["report", &a, "--fail-if", "lost>0,p99>10s"]), Ok(0));
    assert_eq!(run(&["report", &a, "--fail-if", "p50>0ms"]), Ok(1));
    let said = run(&["report", &a, "--fail-if", "p50>1"]).unwrap_err();
    assert!(said.contains("unit: ms s us"), "{said}");
}

#[test]
fn hosts_are_merged_to_a_file() {
    let directory = Directory::new("hosts");
    let [a, out, log] = ["a.json", "out.json", "out.hlog"].map(|name| directory.path(name));
    file::write(&samples::report(), Path::new(&a)).unwrap();
    assert_eq!(run(&["merge", &a, &a, "--json", &out, "--hdr-log", &log]), Ok(0));
    let merged = file::parse(directory.read("out.json").as_bytes()).unwrap();
    assert_eq!((merged.verdict, merged.steps[0].wanted), (Verdict::Pass, 3000));
    assert_eq!(run(&["merge", &log, &log, "--hdr-log", &out]), Ok(0));
    let said = run(&["merge", &log, "--json", &out]).unwrap_err();
    assert!(said.contains("no counters"), "{said}");
}

#[test]
fn what_cannot_be_read_is_named() {
    let directory = Directory::new("wrong");
    let a = directory.path("a.json");
    std::fs::write(&a, "{}").unwrap();
    let said = run(&["report", &a]).unwrap_err();
    assert!(said.contains("a.json: not a report"), "{said}");
    let said = run(&["report", &directory.path("none.json")]).unwrap_err();
    assert!(said.contains("none.json: "), "{said}");
    assert!(run(&["report"]).unwrap_err().contains("required"));
}
