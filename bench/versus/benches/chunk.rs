//! Chunks: reading what encoders send and writing for one connection, beside the other published
//! libraries for Rust. Throughput is that of two seconds of a stream (`bench_codec::group`).
#![allow(missing_docs, reason = "the criterion macros make functions without documentation")]

#[path = "../../benches/common/chunk.rs"]
mod common;

use bench_codec::chunk::Millstream;
use criterion::{Criterion, criterion_group, criterion_main};
use versus::chunk::{Oxideav, Rml, RtmpRs, Scuffle};

fn chunk(c: &mut Criterion) {
    common::reads(c, |case, bench| {
        case.read::<Millstream>(bench);
        case.read::<Rml>(bench);
        case.read::<Scuffle>(bench);
        case.read::<RtmpRs>(bench);
        case.read::<Oxideav>(bench);
    });
    common::writes(c, |case, bench| {
        case.write::<Millstream>(bench);
        case.write::<Rml>(bench);
        case.write::<Scuffle>(bench);
        case.write::<RtmpRs>(bench);
        case.write::<Oxideav>(bench);
    });
}

criterion_group!(benches, chunk);
criterion_main!(benches);
