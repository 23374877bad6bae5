//! What instructions are counted of, by library: two seconds of a stream for chunks, one message for
//! AMF0; and how they are counted. Which libraries there are, and limits, stand in the benches.

use bench_codec::{amf0, chunk};
use bytes::Bytes;
use gungraun::prelude::*;
use gungraun::{Callgrind, CallgrindMetrics, EventKind};
use std::hint::black_box;

/// The chunk size of ffmpeg and OBS, and what a packet brings.
const CHUNK_SIZE: u32 = 4096;
const READ_BYTES: usize = 1460;

/// What is counted. It was done once before: the loader and the allocator have done their part.
pub type Work = Box<dyn FnMut()>;

pub fn warm(mut work: impl FnMut() + 'static) -> Work {
    work();
    Box::new(work)
}

pub fn read<L: chunk::Library>() -> Work {
    let group = bench_codec::group();
    chunk::check::<L>(&group, READ_BYTES, CHUNK_SIZE);
    let wire = chunk::wire(&group, CHUNK_SIZE);
    warm(move || {
        L::read(&wire, READ_BYTES, CHUNK_SIZE, |message| {
            black_box(message.payload);
        });
    })
}

pub fn write<L: chunk::Library<Message: 'static>>() -> Work {
    let group = bench_codec::group();
    chunk::check::<L>(&group, READ_BYTES, CHUNK_SIZE);
    let messages: Vec<_> = group.iter().map(L::message).collect();
    warm(move || {
        L::write(&messages, CHUNK_SIZE, |bytes| {
            black_box(bytes);
        });
    })
}

pub fn decode<L: amf0::Library>(wire: Bytes) -> Work {
    amf0::check::<L>(&wire);
    warm(move || {
        black_box(L::decode(&wire));
    })
}

pub fn encode<L: amf0::Library<Values<'static>: 'static>>(wire: Bytes) -> Work {
    amf0::check::<L>(&wire);
    // Values may borrow from it; the process ends with the count.
    let values: L::Values<'static> = L::decode(Box::leak(Box::new(wire)));
    warm(move || {
        black_box(L::encode(&values, <[u8]>::len));
    })
}

/// Counts, and with a limit fails beyond so many instructions.
pub fn config(limit: Option<u64>) -> LibraryBenchmarkConfig {
    let mut callgrind = Callgrind::with_args(["--cache-sim=no"]);
    callgrind.format([CallgrindMetrics::SingleEvent(EventKind::Ir)]);
    callgrind.hard_limits(limit.map(|limit| (EventKind::Ir, limit)));
    let mut config = LibraryBenchmarkConfig::default();
    // Copies by one instruction that is counted once for each byte, where a processor has it.
    config.env("GLIBC_TUNABLES", "glibc.cpu.hwcaps=-ERMS,-FSRM");
    config.tool(callgrind);
    config
}
