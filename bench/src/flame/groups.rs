//! Where the time of a server that sends goes: samples sorted by what they were doing.
//!
//! In the kernel the innermost function that a rule knows decides, so that a lock or a copy counts
//! for whoever needed it; but whatever is done for the receiver (its softirq on our core, waking
//! it) or in a page fault counts for that, however deep. In the program the innermost function of
//! the program itself decides: libraries' and the language's work counts for who called it.

use super::rules::{ANYWHERE, INNERMOST};
use super::stacks::{Frame, Stack};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Functions of the program with a smaller share of the samples stand together in one line.
const SHARE_MIN: f64 = 0.005;

const OTHER: &str = "kernel: other";
const REST: &str = "program: the rest";
const UNKNOWN: &str = "program: without a name";

/// What stands of a program's own functions.
pub struct Sorted {
    total: u64,
    groups: BTreeMap<String, u64>,
}

/// Sorts samples. `own` are the beginnings of the names of the program's own functions.
pub fn sort(stacks: &[Stack], own: &[&str]) -> Sorted {
    let mut groups = BTreeMap::new();
    for stack in stacks {
        *groups.entry(group(stack, own)).or_default() += 1;
    }
    let total = stacks.len() as u64;
    let small = |name: &str, samples: u64| {
        name.starts_with("program: ") && (samples as f64) < SHARE_MIN * total as f64
    };
    let mut sorted = Sorted { total, groups: BTreeMap::new() };
    for (name, samples) in groups {
        let name = if small(&name, samples) { REST.to_owned() } else { name };
        *sorted.groups.entry(name).or_default() += samples;
    }
    sorted
}

impl Sorted {
    /// How many samples a group has.
    pub fn samples(&self, group: &str) -> u64 {
        self.groups.get(group).copied().unwrap_or(0)
    }

    /// A table in Markdown, the largest group first.
    pub fn table(&self) -> String {
        let mut rows: Vec<_> = self.groups.iter().collect();
        rows.sort_by_key(|(name, samples)| (std::cmp::Reverse(**samples), *name));
        let mut out = String::from("| of each microsecond | ns | samples |\n| --- | --: | --: |\n");
        for (name, samples) in rows {
            let share = 1000.0 * *samples as f64 / self.total.max(1) as f64;
            // In a table a bar ends the cell.
            let name = name.replace('|', "\\|");
            writeln!(out, "| {name} | {share:.0} | {samples} |")
                .expect("a string takes everything");
        }
        out
    }
}

fn group(stack: &Stack, own: &[&str]) -> String {
    let Some(innermost) = stack.last() else { return UNKNOWN.to_owned() };
    if innermost.kernel {
        let kernel = || stack.iter().rev().take_while(|frame| frame.kernel);
        let anywhere = ANYWHERE.iter().find(|rule| kernel().any(|frame| rule.knows(frame)));
        let rule = anywhere
            .or_else(|| kernel().find_map(|frame| INNERMOST.iter().find(|rule| rule.knows(frame))));
        return rule.map_or(OTHER, |rule| rule.0).to_owned();
    }
    let ours = |frame: &&Frame| {
        // An implementation is named `<a::Type as b::Trait>::method`.
        let name = frame.name.trim_start_matches(['<', '&']);
        own.iter().any(|prefix| name.starts_with(prefix))
    };
    match stack.iter().rev().filter(|frame| !frame.kernel).find(ours) {
        Some(frame) => format!("program: `{}`", frame.name),
        None if innermost.name == "[unknown]" => UNKNOWN.to_owned(),
        None => format!("program: `{}`", innermost.name),
    }
}

#[cfg(test)]
mod tests {
    use super::super::stacks::{read, tests::SAMPLE};
    use super::*;

    fn stack(kernel: &[&str]) -> Stack {
        let user = Frame { name: "millstream::send".into(), kernel: false };
        let frames = kernel.iter().map(|name| Frame { name: (*name).into(), kernel: true });
        std::iter::once(user).chain(frames).collect()
    }

    #[test]
    fn the_innermost_function_that_is_known_decides() {
        let of = |kernel: &[&str]| group(&stack(kernel), &["millstream"]);
        let entry = "do_syscall_64";
        assert_eq!(of(&[entry, "tcp_sendmsg_locked", "_copy_from_iter"]), INNERMOST[0].0);
        assert_eq!(
            of(&[entry, "tcp_sendmsg_locked", "tcp_stream_alloc_skb", "memset"]),
            INNERMOST[1].0
        );
        assert_eq!(of(&[entry, "tcp_write_xmit", "ktime_get"]), INNERMOST[2].0);
        assert_eq!(of(&[entry, "tcp_write_xmit", "ip_queue_xmit"]), INNERMOST[3].0);
        assert_eq!(of(&[entry]), INNERMOST[8].0);
        assert_eq!(of(&["something_new"]), OTHER);
        assert_eq!(of(&[]), "program: `millstream::send`");
    }

    #[test]
    fn what_is_done_for_the_receiver_counts_for_it() {
        let of = |kernel: &[&str]| group(&stack(kernel), &["millstream"]);
        assert_eq!(of(&["tcp_write_xmit", "tcp_v4_rcv", "kfree_skb"]), ANYWHERE[1].0);
        assert_eq!(of(&["tcp_v4_rcv", "sock_def_readable", "_raw_spin_lock"]), ANYWHERE[0].0);
        assert_eq!(of(&["asm_exc_page_fault", "alloc_pages", "clear_page_erms"]), ANYWHERE[2].0);
    }

    #[test]
    fn libraries_count_for_who_called_them() {
        let frame = |name: &str| Frame { name: name.into(), kernel: false };
        let called = vec![frame("<millstream::A as millstream::B>::c"), frame("memcpy")];
        assert_eq!(
            group(&called, &["millstream"]),
            "program: `<millstream::A as millstream::B>::c`"
        );
        assert_eq!(group(&vec![frame("memcpy")], &["millstream"]), "program: `memcpy`");
        assert_eq!(group(&vec![frame("[unknown]")], &["millstream"]), UNKNOWN);
    }

    #[test]
    fn a_table_has_all_samples() {
        let sorted = sort(&read(SAMPLE.as_bytes()).unwrap(), &["a::"]);
        assert_eq!(sorted.samples(INNERMOST[0].0), 1);
        let table = sorted.table();
        assert!(table.contains("| kernel: copying from the program | 500 | 1 |"), "{table}");
        assert!(table.contains("| program: `<a::Sink as b::Sink>::send` | 500 | 1 |"), "{table}");
    }
}
