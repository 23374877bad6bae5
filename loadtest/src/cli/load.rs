//! One run of load, from the options to the exit code.

use super::observers::Observers;
use super::stop::Stop;
use super::{Load, Output};
use crate::account::record::Observer as _;
use crate::host::server::{self, Server};
use crate::host::{cores, process};
use crate::limits::{DESCRIPTORS_SPARE, FIT_MAX};
use crate::plan::{Options, OptionsError, Plan, Target};
use crate::report::condition::Condition;
use crate::report::{Report, file, html, series};
use crate::swarm::{director, fit, socket};
use std::error::Error;
use std::fs::File;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;

/// The exit code of a run that failed.
const FAILED: u8 = 1;

/// Runs it; the exit code.
pub(super) fn run(load: &Load) -> Result<u8, Box<dyn Error>> {
    let descriptors = crate::raise_descriptors();
    let options = match &load.scenario {
        Some(path) => load.options.clone().or(Options::from_file(path)?),
        None => load.options.clone(),
    };
    let condition = |text: &String| {
        text.parse::<Condition>().map_err(|error| format!("--fail-if '{text}': {error}"))
    };
    let conditions = options.fail_if.iter().map(condition).collect::<Result<Vec<_>, _>>()?;
    check(load, &options)?;
    let stop = Stop::on_signals()?;
    let mut observer = Observers::new(&load.output, options.planned(), stop.clone());
    let server = match &load.url {
        Some(_) => None,
        None => Some(start_server(load, &options, &mut observer)?),
    };
    if let Some(server) = &server {
        stop.watch_over(server.pid());
    }
    let mut plan = plan(load, &options, server.as_ref())?;
    check_descriptors(&plan, descriptors)?;
    if load.url.is_none() && options.players.is_none() && options.steps.is_empty() {
        plan = as_many_as_fit(plan, &options, descriptors, &mut observer)?;
        if stop.is_wanted() {
            eprintln!("loadtest: broken off before it was known how many players fit");
            return Ok(FAILED);
        }
    }
    if let Some(path) = &load.output.hdr_log {
        observer.log_to(path, &plan.title)?;
    }
    let mut record = director::run(&plan, &mut observer)?;
    if let Some(server) = &server {
        record.settings.push(("server", server.described()));
    }
    let logged = observer.finish();
    drop(server);
    let report = Report::of(&record, &conditions);
    // First of all it is shown: a file that cannot be written must not cost the run.
    // Who does not want to read it any more still gets the exit code.
    let _ = writeln!(std::io::stdout(), "{report}");
    logged?;
    write(&report, &load.output)?;
    Ok(report.exit_code())
}

/// Finds out what cannot go well before anything is run.
fn check(load: &Load, options: &Options) -> Result<(), String> {
    options.congestion.as_deref().map_or(Ok(()), socket::check_congestion)?;
    let Load { url, server, output, .. } = load;
    if let Some(pid) = server.pid {
        process::usage(pid).map_err(|error| format!("--pid {pid}: {error}"))?;
    }
    if let Some(http) = &server.http {
        let expected = "expected an address and port, such as 127.0.0.1:8080";
        http.parse::<SocketAddr>().map_err(|_| format!("--http {http}: {expected}"))?;
    }
    if url.is_none() && options.publishers == Some(0) {
        return Err(
            "--publishers 0: the server that is started has nothing to play; give the URL \
                    of one to which another loadtest publishes"
                .to_owned(),
        );
    }
    for (option, path) in [
        ("--json", &output.json),
        ("--html", &output.html),
        ("--series", &output.series),
        ("--hdr-log", &output.hdr_log),
    ] {
        if let Some(path) = path {
            // Opened for writing and left as it is: a run must not end with nowhere to go.
            let opened = File::options().append(true).create(true).open(path);
            opened.map_err(|error| format!("{option} {}: {error}", path.display()))?;
        }
    }
    Ok(())
}

/// The plan against the server that was started, or else the one at the URL.
fn plan(load: &Load, options: &Options, server: Option<&Server>) -> Result<Plan, OptionsError> {
    let started = server.map(|server| format!("rtmp://{}/live/load", server.rtmp));
    let url = load.url.clone().or(started).unwrap_or_default();
    let target = Target::from_url(&url, options.is_numbered(), load.server.remote)?;
    let mut plan = options.plan(target)?;
    plan.pid = server.map(Server::pid).or(load.server.pid);
    plan.http = server.map(|server| server.http.clone()).or_else(|| load.server.http.clone());
    Ok(plan)
}

/// The same plan with nearly as many players as fit.
fn as_many_as_fit(
    plan: Plan,
    options: &Options,
    descriptors: u64,
    observer: &mut Observers,
) -> Result<Plan, Box<dyn Error>> {
    let spare = DESCRIPTORS_SPARE + u64::from(plan.publishers.count);
    let most = usize::try_from(descriptors.saturating_sub(spare)).unwrap_or(usize::MAX);
    let found = fit::find(&plan, most.min(FIT_MAX), observer)?;
    observer.phase(&format!("{} players fit; then {}", found.players, found.limit));
    if observer.wants_to_stop() {
        return Ok(plan);
    }
    if found.players == 0 {
        return Err(format!("not even the smallest trial went well: {}", found.limit).into());
    }
    // What just fitted for seconds is too much for longer.
    let players = Some((found.players * 9 / 10).max(1));
    let mut fitting = Options { players, ..options.clone() }.plan(plan.target)?;
    (fitting.pid, fitting.http) = (plan.pid, plan.http);
    fitting.title = format!("{}: as many players as fit", fitting.title);
    Ok(fitting)
}

fn check_descriptors(plan: &Plan, descriptors: u64) -> Result<(), String> {
    let needed = plan.connections() + DESCRIPTORS_SPARE;
    if needed <= descriptors {
        return Ok(());
    }
    Err(format!(
        "{needed} files are needed and only {descriptors} may be open: raise `ulimit -n`, or take fewer players"
    ))
}

fn start_server(
    load: &Load,
    options: &Options,
    observer: &mut Observers,
) -> Result<Server, Box<dyn Error>> {
    let all = cores::allowed();
    let own = if options.cores.is_empty() { &all[all.len() - 1..] } else { &options.cores[..] };
    let mut others: Vec<usize> = all.iter().copied().filter(|core| !own.contains(core)).collect();
    if others.is_empty() {
        // A machine of one core shares it.
        others.extend(all.first());
    }
    let others: Vec<String> = others.iter().map(usize::to_string).collect();
    let others = others.join(",");
    let program = server::program(load.server.server.clone(), &mut |what| observer.phase(what))?;
    let cores = load.server.server_cores.as_deref().unwrap_or(&others);
    Ok(Server::start(&program, cores, &load.server.server_arg)?)
}

fn write(report: &Report, output: &Output) -> Result<(), Box<dyn Error>> {
    let failed = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    if let Some(path) = &output.json {
        file::write(report, path).map_err(|error| failed(path, error))?;
    }
    if let Some(path) = &output.html {
        let page = html::page(std::slice::from_ref(report));
        std::fs::write(path, page).map_err(|error| failed(path, error))?;
    }
    if let Some(path) = &output.series {
        let text = series::for_file(report, path);
        std::fs::write(path, text).map_err(|error| failed(path, error))?;
    }
    Ok(())
}
