//! Times of a library's AMF0. Which libraries there are stands in the benches.

use bench_codec::amf0::{Library, check, connect, metadata};
use bytes::Bytes;
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput};
use std::hint::black_box;

/// A message that all libraries are given.
pub struct Case {
    /// What it is called in the benches.
    pub name: &'static str,
    wire: Bytes,
}

impl Case {
    /// Times how one library decodes.
    pub fn decode<L: Library>(&self, bench: &mut BenchmarkGroup<'_, WallTime>) {
        check::<L>(&self.wire);
        bench.bench_function(L::NAME, |b| b.iter(|| L::decode(black_box(&self.wire))));
    }

    /// Times how one library encodes.
    pub fn encode<L: Library>(&self, bench: &mut BenchmarkGroup<'_, WallTime>) {
        check::<L>(&self.wire);
        let values = L::decode(&self.wire);
        bench.bench_function(L::NAME, |b| {
            b.iter(|| L::encode(black_box(&values), |bytes| black_box(bytes).len()));
        });
    }
}

/// Every message. `libraries` calls [`Case::decode`] or [`Case::encode`] for each.
pub fn messages(
    c: &mut Criterion,
    what: &str,
    libraries: fn(&Case, &mut BenchmarkGroup<'_, WallTime>),
) {
    for case in
        [Case { name: "connect", wire: connect() }, Case { name: "metadata", wire: metadata() }]
    {
        let mut bench = c.benchmark_group(format!("amf0/{what}/{}", case.name));
        bench.throughput(Throughput::Bytes(case.wire.len() as u64));
        libraries(&case, &mut bench);
        bench.finish();
    }
}
