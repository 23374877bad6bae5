//! Times of a library's chunks. Which libraries there are stands in the benches.

use bench_codec::chunk::{Library, check, wire};
use bytes::Bytes;
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput};
use millstream_rtmp::message::Message;
use std::hint::black_box;

/// The specification's default, the size of ffmpeg and OBS, and the most that all libraries take.
pub const CHUNK_SIZES: [u32; 3] = [128, 4096, 65_536];
/// What a read returns: a packet's worth, and everything at once.
const READS: [(&str, usize); 2] = [("1460", 1460), ("whole", usize::MAX)];

/// What all libraries are given.
pub struct Case {
    group: Vec<Message>,
    wire: Bytes,
    read_bytes: usize,
    chunk_size: u32,
}

impl Case {
    fn new(chunk_size: u32, read_bytes: usize) -> Self {
        let group = bench_codec::group();
        let wire = wire(&group, chunk_size);
        Self { group, wire, read_bytes, chunk_size }
    }

    /// Times how one library reads.
    pub fn read<L: Library>(&self, bench: &mut BenchmarkGroup<'_, WallTime>) {
        check::<L>(&self.group, self.read_bytes, self.chunk_size);
        bench.bench_function(L::NAME, |b| {
            b.iter(|| {
                L::read(black_box(&self.wire), self.read_bytes, self.chunk_size, |message| {
                    black_box(message.payload);
                });
            });
        });
    }

    /// Times how one library writes.
    pub fn write<L: Library>(&self, bench: &mut BenchmarkGroup<'_, WallTime>) {
        check::<L>(&self.group, self.read_bytes, self.chunk_size);
        let messages: Vec<_> = self.group.iter().map(L::message).collect();
        bench.bench_function(L::NAME, |b| {
            b.iter(|| {
                L::write(black_box(&messages), self.chunk_size, |bytes| {
                    black_box(bytes);
                });
            });
        });
    }
}

/// Every chunk size with everything that a read returns. `libraries` calls [`Case::read`] for each.
pub fn reads(c: &mut Criterion, libraries: fn(&Case, &mut BenchmarkGroup<'_, WallTime>)) {
    for chunk_size in CHUNK_SIZES {
        for (name, read_bytes) in READS {
            let case = Case::new(chunk_size, read_bytes);
            let mut bench = c.benchmark_group(format!("chunk/read/{chunk_size}/{name}"));
            bench.throughput(Throughput::Bytes(case.wire.len() as u64));
            libraries(&case, &mut bench);
            bench.finish();
        }
    }
}

/// Every chunk size. `libraries` calls [`Case::write`] for each.
pub fn writes(c: &mut Criterion, libraries: fn(&Case, &mut BenchmarkGroup<'_, WallTime>)) {
    for chunk_size in CHUNK_SIZES {
        let case = Case::new(chunk_size, usize::MAX);
        let mut bench = c.benchmark_group(format!("chunk/write/{chunk_size}"));
        bench.throughput(Throughput::Bytes(case.wire.len() as u64));
        libraries(&case, &mut bench);
        bench.finish();
    }
}
