//! Chunks: reading what encoders send, writing for one connection, and writing once for all players.
//! Throughput is that of two seconds of a stream (`bench_codec::group`).
#![allow(missing_docs, reason = "the criterion macros make functions without documentation")]

#[path = "common/chunk.rs"]
mod common;

use bench_codec::chunk::Millstream;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use millstream_rtmp::chunk::write_standalone;
use std::hint::black_box;

fn chunk(c: &mut Criterion) {
    common::reads(c, |case, bench| case.read::<Millstream>(bench));
    common::writes(c, |case, bench| case.write::<Millstream>(bench));
}

/// For all players at once, at the chunk size that this server announces too.
fn standalone(c: &mut Criterion) {
    let group = bench_codec::group();
    let bytes: usize = group.iter().map(|message| message.payload.len()).sum();
    let mut bench = c.benchmark_group("chunk/standalone");
    bench.throughput(Throughput::Bytes(bytes as u64));
    for chunk_size in common::CHUNK_SIZES.into_iter().chain([1 << 20]) {
        bench.bench_function(BenchmarkId::from_parameter(chunk_size), |b| {
            let mut out = Vec::with_capacity(2 * bytes);
            b.iter(|| {
                out.clear();
                for message in &group {
                    write_standalone(
                        message.kind,
                        message.chunk_stream_id,
                        message.timestamp,
                        message.stream_id,
                        &message.payload,
                        chunk_size,
                        &mut out,
                    );
                }
                black_box(&out);
            });
        });
    }
    bench.finish();
}

criterion_group!(benches, chunk, standalone);
criterion_main!(benches);
