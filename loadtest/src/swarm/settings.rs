//! What a run was asked for, and what it ran on, in words for its report.

use crate::plan::{Manner, Plan, Playing, Publishing, Slow};
use crate::swarm::socket;
use std::time::Duration;

/// Name by name, in the order to show.
pub fn of(plan: &Plan) -> Vec<(&'static str, String)> {
    let mut settings = vec![
        ("target", plan.target.url.clone()),
        ("publishers", publishers(plan)),
        ("streams played", plan.played.to_string()),
    ];
    let mut sources: Vec<String> = plan.sources.iter().map(|source| source.describe()).collect();
    sources.dedup();
    settings.push(("source", sources.join("; ")));
    settings.push(("players", players(plan)));
    settings.push((
        "receivers",
        if plan.nap.is_zero() {
            "read at once".to_owned()
        } else {
            format!("nap {} between rounds", span(plan.nap))
        },
    ));
    let congestion = match &plan.congestion {
        Some(name) => format!("{name} (set on the generator's sockets)"),
        None => format!("{} (the system's)", socket::default_congestion()),
    };
    settings.push(("congestion control", congestion));
    settings.push((
        "checked",
        format!(
            "every frame's number, order, length and time; every byte of one player in {}",
            plan.compared_of.max(1)
        ),
    ));
    let cores: Vec<String> = plan.cores.iter().map(usize::to_string).collect();
    settings.push(("generator's cores", cores.join(",")));
    settings.push(("machine", machine()));
    settings
}

fn publishers(plan: &Plan) -> String {
    let publishers = &plan.publishers;
    let mut text = match publishers.behaviour {
        Publishing::Steady => publishers.count.to_string(),
        Publishing::Flapping { stay, away, manner } => format!(
            "{} that stay about {} and are away about {}, going {}",
            publishers.count,
            span(stay),
            span(away),
            how(manner)
        ),
        Publishing::Duel { every } => {
            format!("2 for each of {} streams, trying every {}", publishers.count, span(every))
        }
    };
    if publishers.speed != 1.0 {
        text += &format!(", at {} x real time", publishers.speed);
    }
    text
}

fn players(plan: &Plan) -> String {
    let steps: Vec<String> = plan
        .steps
        .iter()
        .map(|step| {
            let over = match step.over.is_zero() {
                true => String::new(),
                false => format!(" coming over {}", span(step.over)),
            };
            format!("{}{over} for {}", step.players, span(step.length))
        })
        .collect();
    let mut text = steps.join(", ");
    if plan.groups.len() > 1 || plan.groups.iter().any(|group| group.behaviour != Playing::Stay) {
        let groups: Vec<String> = plan
            .groups
            .iter()
            .map(|group| {
                format!("{} x {}: {}", group.share, group.name, manner_of(group.behaviour))
            })
            .collect();
        text += &format!(" ({})", groups.join("; "));
    }
    text
}

fn manner_of(behaviour: Playing) -> String {
    match behaviour {
        Playing::Stay => "stay".to_owned(),
        Playing::Flapping { stay, away, manner } => {
            format!("stay about {}, away about {}, going {}", span(stay), span(away), how(manner))
        }
        Playing::Slow(Slow::Window(bytes)) => format!("receive buffer of {bytes} bytes"),
        Playing::Slow(Slow::Trickle(rate)) => format!("{rate} bytes a second, one by one"),
        Playing::Slow(Slow::Stopped) => "read nothing more".to_owned(),
    }
}

fn how(manner: Manner) -> &'static str {
    match manner {
        Manner::InOrder => "in order",
        Manner::Abrupt => "without a word",
        Manner::Either => "in order or without a word",
    }
}

/// A time as people write it.
pub fn span(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 1.0 { format!("{} ms", seconds * 1000.0) } else { format!("{seconds} s") }
}

fn machine() -> String {
    let cpus = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(':'))
        .map_or("unknown processor", |(_, name)| name.trim());
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{model}, {cores} cores, Linux {}", kernel.trim())
}
