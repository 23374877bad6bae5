//! Instructions, counted under valgrind: on a busy machine as on a quiet one the same from run to run
//! of one build. What they are of stands in `common`; two seconds of a stream for chunks and the log,
//! one message for AMF0.
//!
//! Each count has a limit, a quarter above what it took when the limit was set, since compilers
//! differ: the run fails beyond it. Needs `gungraun-runner` and valgrind (`tests/install.sh`), and
//! fails without them.
#![allow(missing_docs, reason = "the macros make functions without documentation")]
#![allow(unused_qualifications, reason = "the macros qualify what they repeat")]

#[path = "common/counting.rs"]
mod counting;
#[path = "common/log.rs"]
mod log;

use bench_codec::{amf0, chunk};
use counting::{Work, config, decode, encode, read, warm, write};
use gungraun::prelude::*;

/// A group of two seconds, in a log that is as full as it gets.
fn append() -> Work {
    let group = bench_codec::group();
    let mut log = log::Appending::new();
    for _ in 0..30 {
        log.group(&group, || {});
    }
    warm(move || log.group(&group, || {}))
}

/// Fails beyond so many instructions.
fn at_most(instructions: u64) -> LibraryBenchmarkConfig {
    config(Some(instructions))
}

#[library_benchmark]
#[bench::read(args = (read::<chunk::Millstream>()), config = at_most(710_000))]
#[bench::write(args = (write::<chunk::Millstream>()), config = at_most(143_000))]
fn chunks(mut work: Work) -> Work {
    work();
    work
}

#[library_benchmark]
#[bench::millstream(args = (append()), config = at_most(167_000))]
fn log_append(mut work: Work) -> Work {
    work();
    work
}

#[library_benchmark]
#[bench::decode_connect(args = (decode::<amf0::Millstream>(amf0::connect())), config = at_most(9_850))]
#[bench::decode_metadata(args = (decode::<amf0::Millstream>(amf0::metadata())), config = at_most(11_800))]
#[bench::encode_connect(args = (encode::<amf0::Millstream>(amf0::connect())), config = at_most(1_880))]
#[bench::encode_metadata(args = (encode::<amf0::Millstream>(amf0::metadata())), config = at_most(3_500))]
fn messages(mut work: Work) -> Work {
    work();
    work
}

library_benchmark_group!(name = counts, benchmarks = [chunks, log_append, messages]);
main!(library_benchmark_groups = counts);
