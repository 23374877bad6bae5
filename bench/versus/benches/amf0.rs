//! AMF0: decoding and encoding what every connection and every stream begins with, beside the other
//! published libraries for Rust.
#![allow(missing_docs, reason = "the criterion macros make functions without documentation")]

#[path = "../../benches/common/amf0.rs"]
mod common;

use bench_codec::amf0::Millstream;
use common::Case;
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main};
use versus::amf0::{Amf, Oxideav, Rml, RtmpRs, Scuffle};

fn decode(case: &Case, bench: &mut BenchmarkGroup<'_, WallTime>) {
    case.decode::<Millstream>(bench);
    case.decode::<Rml>(bench);
    // Of the other it makes an error.
    if case.name == "connect" {
        case.decode::<Scuffle>(bench);
    }
    case.decode::<RtmpRs>(bench);
    case.decode::<Oxideav>(bench);
    case.decode::<Amf>(bench);
}

fn encode(case: &Case, bench: &mut BenchmarkGroup<'_, WallTime>) {
    case.encode::<Millstream>(bench);
    case.encode::<Rml>(bench);
    // As above: it could not be checked.
    if case.name == "connect" {
        case.encode::<Scuffle>(bench);
    }
    case.encode::<RtmpRs>(bench);
    case.encode::<Oxideav>(bench);
    case.encode::<Amf>(bench);
}

fn amf0(c: &mut Criterion) {
    common::messages(c, "decode", decode);
    common::messages(c, "encode", encode);
}

criterion_group!(benches, amf0);
criterion_main!(benches);
