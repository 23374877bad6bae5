//! Stacks from the text of `perf script -F comm,ip,sym,dso`, one of them a sample:
//!
//! ```text
//! shard-0
//!         ffffffff81b2c4a5 tcp_sendmsg_locked+0x1f5 ([kernel.kallsyms])
//!                   1d2f40 millstream::egress::turn::serve+0x90 (/usr/bin/millstream)
//! (an empty line)
//! ```
//! The innermost frame comes first there, and last here. What they mean stands in `groups`.

use std::io::{self, BufRead};

/// A function on a stack.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Frame {
    /// Its name, without offset and without the hash of its crate.
    pub name: String,
    /// Whether it is the kernel's.
    pub kernel: bool,
}

/// What a processor was found doing: the outermost function first.
pub type Stack = Vec<Frame>;

/// Reads samples until the end. Samples without a stack, and lines that are no frames, are left out.
///
/// # Errors
/// If the input cannot be read or is not text.
pub fn read(input: impl BufRead) -> io::Result<Vec<Stack>> {
    let mut stacks = Vec::new();
    let mut stack = Stack::new();
    for line in input.lines() {
        let line = line?;
        // What begins at the margin names the thread of the next sample.
        if line.starts_with([' ', '\t']) && !line.trim().is_empty() {
            stack.extend(frame(line.trim()));
        } else {
            finish(&mut stack, &mut stacks);
        }
    }
    finish(&mut stack, &mut stacks);
    Ok(stacks)
}

fn finish(stack: &mut Stack, stacks: &mut Vec<Stack>) {
    if !stack.is_empty() {
        stack.reverse();
        stacks.push(std::mem::take(stack));
    }
}

/// `ADDRESS NAME+OFFSET (FILE)`, where the name may hold blanks.
fn frame(line: &str) -> Option<Frame> {
    let (address, rest) = line.split_once(char::is_whitespace)?;
    u64::from_str_radix(address, 16).ok()?;
    let (name, file) = rest.rsplit_once(" (")?;
    let file = file.trim_end_matches(')');
    let name = match name.trim().rsplit_once("+0x") {
        Some((name, _)) => name,
        None => name.trim(),
    };
    let kernel = file.starts_with("[kernel") || file.starts_with("[guest.kernel");
    let name = match without_hash(name) {
        "[unknown]" if kernel => "[unknown, kernel]",
        "[unknown]" => "[unknown]",
        name => name,
    };
    Some(Frame { name: name.to_owned(), kernel: kernel || file.ends_with(".ko") })
}

/// Without the `::h0123456789abcdef` at the end of a name of Rust's older kind.
fn without_hash(name: &str) -> &str {
    match name.rsplit_once("::h") {
        Some((path, hash)) if hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit()) => {
            path
        }
        _ => name,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) const SAMPLE: &str = "shard-0 
\tffffffff81b2c4a5 _copy_from_iter+0x85 ([kernel.kallsyms])
\tffffffff81b2c4a5 tcp_sendmsg_locked+0x1f5 ([kernel.kallsyms])
\t    7f0a1b2c3d4e __send+0x1e (/usr/lib/x86_64-linux-gnu/libc.so.6)
\t          1d2f40 <a::Sink as b::Sink>::send::h0123456789abcdef+0x90 (/usr/bin/millstream)

shard-0 
\t          1d2f40 <a::Sink as b::Sink>::send::h0123456789abcdef+0x90 (/usr/bin/millstream)

shard-0 

";

    #[test]
    fn a_sample_becomes_a_stack_from_the_outside_in() {
        let stacks = read(SAMPLE.as_bytes()).unwrap();
        let names = |stack: &Stack| stack.iter().map(|at| at.name.clone()).collect::<Vec<_>>();
        assert_eq!(stacks.len(), 2, "the last one has no stack");
        let send = "<a::Sink as b::Sink>::send";
        assert_eq!(
            names(&stacks[0]),
            [send, "__send", "tcp_sendmsg_locked", "_copy_from_iter"],
            "without offsets and hashes"
        );
        assert_eq!(names(&stacks[1]), [send]);
        let kernel: Vec<bool> = stacks[0].iter().map(|at| at.kernel).collect();
        assert_eq!(kernel, [false, false, true, true]);
    }

    #[test]
    fn lines_that_are_no_frames_are_left_out() {
        let text = "x\n\tnot an address (file)\n\tff nothing behind\n\tff [unknown] ([unknown])\n";
        let stacks = read(text.as_bytes()).unwrap();
        let unknown = Frame { name: "[unknown]".into(), kernel: false };
        assert_eq!(stacks, [vec![unknown]]);
    }
}
