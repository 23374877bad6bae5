//! The shared log: appending a stream to it, and a shard's view taking in what was appended. Both
//! cost per message, not per viewer; per viewer there is one send, which `loadtest` measures.
#![allow(missing_docs, reason = "the criterion macros make functions without documentation")]

#[path = "common/log.rs"]
mod common;

use common::Appending;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use millstream::stream::view::View;
use std::sync::Arc;

fn log(c: &mut Criterion) {
    let group = bench_codec::group();
    let bytes: usize = group.iter().map(|message| message.payload.len()).sum();
    let mut bench = c.benchmark_group("log");

    bench.throughput(Throughput::Bytes(bytes as u64));
    bench.bench_function("append", |b| {
        let mut log = Appending::new();
        b.iter(|| log.group(&group, || {}));
    });
    // Told of each message, as a shard with little to do is; the difference is the view's.
    bench.bench_function("append_and_refresh", |b| {
        let mut log = Appending::new();
        let mut view = View::new(Arc::clone(log.writer.log()));
        b.iter(|| {
            log.group(&group, || {
                if view.refresh().stale {
                    view.evict();
                }
            });
        });
    });
    bench.finish();

    c.bench_function("log/refresh_of_nothing_new", |b| {
        let mut log = Appending::new();
        log.group(&group, || {});
        let mut view = View::new(Arc::clone(log.writer.log()));
        view.refresh();
        b.iter(|| view.refresh());
    });
}

criterion_group!(benches, log);
criterion_main!(benches);
