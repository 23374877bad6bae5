//! The page is well formed, whatever was measured and whatever texts are in it.

use super::*;
use crate::report::samples;

/// Elements without an end.
const VOID: [&str; 2] = ["meta", "input"];

/// Reads markup as strictly as XML wants it (the page is written so), and returns its elements:
/// every tag is closed in order, every attribute is quoted, every ampersand begins an entity.
fn elements(markup: &str) -> Vec<String> {
    let (mut open, mut all) = (Vec::<String>::new(), Vec::new());
    let mut rest = markup.strip_prefix("<!doctype html>\n").unwrap_or(markup);
    while let Some(at) = rest.find('<') {
        entities(&rest[..at]);
        rest = &rest[at + 1..];
        let end = rest.find('>').expect("a tag ends");
        let tag = &rest[..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "closed in order");
            continue;
        }
        let name: String = tag.chars().take_while(char::is_ascii_alphanumeric).collect();
        assert!(!name.is_empty(), "<{tag}>");
        attributes(tag[name.len()..].trim_end_matches('/'));
        if tag.ends_with('/') {
            all.push(name);
            continue;
        }
        assert!(!VOID.contains(&name.as_str()), "<{tag}> has no end");
        if name == "style" || name == "script" {
            let end = rest.find(&format!("</{name}>")).expect("it ends");
            assert!(!rest[..end].contains("</"));
            rest = &rest[end + name.len() + 3..];
            all.push(name);
            continue;
        }
        all.push(name.clone());
        open.push(name);
    }
    assert!(open.is_empty() && rest.trim().is_empty(), "{open:?}");
    all
}

fn attributes(text: &str) {
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (name, after) = rest.split_once("=\"").unwrap_or_else(|| panic!("{rest}"));
        assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'), "{name}");
        let (value, after) = after.split_once('"').expect("a quote ends");
        entities(value);
        rest = after.trim_start();
    }
}

fn entities(text: &str) {
    for part in text.split('&').skip(1) {
        let known = ["amp;", "lt;", "gt;", "quot;", "#39;"];
        assert!(known.iter().any(|entity| part.starts_with(entity)), "&{part}");
    }
}

fn is_clean(markup: &str) {
    for word in ["NaN", "inf ", "\"inf", "undefined"] {
        assert!(!markup.contains(word), "{word}");
    }
}

#[test]
fn pages_are_well_formed_whatever_was_measured() {
    let all = samples::all();
    for reports in all.iter().map(std::slice::from_ref).chain([all.as_slice(), &[]]) {
        let page = page(reports);
        let elements = elements(&page);
        is_clean(&page);
        assert_eq!(elements.iter().filter(|name| *name == "script").count(), 1);
        assert_eq!(elements.iter().filter(|name| *name == "article").count(), reports.len());
    }
}

#[test]
fn everything_that_was_measured_is_on_the_page() {
    let reports = [samples::long(), samples::other()].map(|record| Report::of(&record, &[]));
    let page = page(&reports);
    let count = |text: &str| page.matches(text).count();
    // Three percentile plots in two scales, nine time series.
    assert_eq!(count("<svg "), 15);
    assert_eq!(count("class=\"plot log\""), 3);
    for text in
        [">99.9</text>", "pacing window, ms", "CPU s/GB", "KB/player", "first byte of media", "≠"]
    {
        assert!(page.contains(text), "{text}");
    }
}

#[test]
fn texts_from_files_are_escaped() {
    let evil = "</title><script>alert('x')</script>\"onload=\"y\u{0}".to_owned();
    let mut report = Report::of(&samples::rough(), &[evil_condition()]);
    report.title.clone_from(&evil);
    report.settings.push((evil.clone(), evil.clone()));
    report.reasons.push(evil.clone());
    report.notes.push(evil.clone());
    report.conditions.push(evil.clone());
    report.groups[0].name.clone_from(&evil);
    report.groups[0].errors.insert(evil, 1);
    for reports in [vec![report.clone()], vec![report.clone(), report.clone()]] {
        let page = page(&reports);
        assert_eq!(elements(&page).iter().filter(|name| *name == "script").count(), 1);
        assert!(page.contains("&lt;/title&gt;&lt;script&gt;"));
        assert!(!page.contains("alert('x')") && !page.contains('\0'));
    }
    elements(&svg(&report, Time::Video));
}

fn evil_condition() -> super::super::condition::Condition {
    "lost>0".parse().unwrap()
}

#[test]
fn nothing_is_loaded_from_anywhere() {
    let page = page(&samples::all());
    let name_space = "xmlns=\"http://www.w3.org/2000/svg\"";
    let rest = page.replace(name_space, "").replace("\"http://www.w3.org/2000/svg\"", "");
    assert!(!rest.contains("://") && !rest.contains("src=\"") && !rest.contains("@import"));
}

#[test]
fn a_single_plot_stands_alone() {
    for report in samples::all() {
        for time in Time::ALL {
            let svg = svg(&report, time);
            assert_eq!(elements(&svg).first().map(String::as_str), Some("svg"));
            is_clean(&svg);
            assert!(svg.contains("<style>"));
        }
    }
}

#[test]
fn many_runs_have_colours_and_dashes() {
    let mut report = samples::report();
    report.moments.truncate(3);
    let page = page(&vec![report; 30]);
    elements(&page);
    assert!(page.contains("r29 c5 dash") && page.contains(">30</td>"));
}
