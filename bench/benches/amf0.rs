//! AMF0: decoding and encoding what every connection and every stream begins with.
#![allow(missing_docs, reason = "the criterion macros make functions without documentation")]

#[path = "common/amf0.rs"]
mod common;

use bench_codec::amf0::Millstream;
use criterion::{Criterion, criterion_group, criterion_main};

fn amf0(c: &mut Criterion) {
    common::messages(c, "decode", |case, bench| case.decode::<Millstream>(bench));
    common::messages(c, "encode", |case, bench| case.encode::<Millstream>(bench));
}

criterion_group!(benches, amf0);
criterion_main!(benches);
