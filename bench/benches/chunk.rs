//! Chunks: reading what encoders send, writing for one connection, and writing once for all.
//! Throughput is that of two seconds of a stream (`bench::group`).
#![allow(missing_docs, reason = "the criterion macros make functions without documentation")]

use bytes::BytesMut;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use millstream_rtmp::chunk::{ChunkLimits, ChunkReader, ChunkWriter, write_standalone};
use std::hint::black_box;

/// The specification's default, the sizes of ffmpeg and OBS, and the one this server announces.
const CHUNK_SIZES: [u32; 4] = [128, 4096, 60_000, 1 << 20];
/// What a server's read returns: little, and as much as the buffer takes.
const READ_BYTES: [usize; 2] = [4200, 65_536];

fn read(c: &mut Criterion) {
    let group = bench::group();
    let mut bench = c.benchmark_group("chunk/read");
    for chunk_size in CHUNK_SIZES {
        let mut wire = BytesMut::new();
        let mut writer = ChunkWriter::new(chunk_size);
        group.iter().for_each(|message| writer.write(message, &mut wire));
        bench.throughput(Throughput::Bytes(wire.len() as u64));
        for read_bytes in READ_BYTES {
            let id = BenchmarkId::new(chunk_size.to_string(), read_bytes);
            bench.bench_function(id, |b| {
                b.iter(|| {
                    let mut reader = ChunkReader::new(ChunkLimits::default());
                    reader.set_chunk_size(chunk_size).expect("the sizes above are allowed");
                    let mut messages = 0;
                    for mut piece in wire.chunks(read_bytes) {
                        while let Some(message) =
                            reader.read(&mut piece).expect("it was written by our own writer")
                        {
                            black_box(&message);
                            messages += 1;
                        }
                    }
                    assert_eq!(messages, group.len());
                });
            });
        }
    }
    bench.finish();
}

fn write(c: &mut Criterion) {
    let group = bench::group();
    let bytes: usize = group.iter().map(|message| message.payload.len()).sum();
    let mut bench = c.benchmark_group("chunk/write");
    bench.throughput(Throughput::Bytes(bytes as u64));
    for chunk_size in CHUNK_SIZES {
        bench.bench_function(BenchmarkId::new("writer", chunk_size), |b| {
            let mut out = BytesMut::with_capacity(2 * bytes);
            b.iter(|| {
                let mut writer = ChunkWriter::new(chunk_size);
                out.clear();
                group.iter().for_each(|message| writer.write(message, &mut out));
                black_box(&out);
            });
        });
        bench.bench_function(BenchmarkId::new("standalone", chunk_size), |b| {
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

criterion_group!(benches, read, write);
criterion_main!(benches);
