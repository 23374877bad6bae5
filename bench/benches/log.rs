//! The shared log: appending a stream to it, and a shard's view taking in what was appended. Both
//! cost per message, not per viewer; per viewer there is one send, which `loadtest` measures.
#![allow(missing_docs, reason = "the criterion macros make functions without documentation")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use millstream::egress::rtmp::framings;
use millstream::moment::Moment;
use millstream::stream::headers::Carrier;
use millstream::stream::log::{LogWriter, Record, Retention};
use millstream::stream::projection::Projection;
use millstream::stream::segment::Kind;
use millstream::stream::view::View;
use millstream_rtmp::message::{Message, MessageType};
use std::sync::Arc;

fn writer() -> LogWriter {
    let mut writer = LogWriter::new(framings(1 << 20)(Projection::WHOLE), Retention::default());
    writer.begin_generation();
    writer
}

/// Appends a message `groups` groups of two seconds after the first.
fn append(writer: &mut LogWriter, message: &Message, order: u32, groups: u64) {
    let (kind, carrier) = match message.kind {
        MessageType::AUDIO => (Kind::Audio, Carrier::Audio),
        _ if message.timestamp == 0 => (Kind::VideoKey, Carrier::Video),
        _ => (Kind::Video, Carrier::Video),
    };
    let timestamp = groups * 2000 + u64::from(message.timestamp);
    let now = Moment::from_ms(timestamp);
    writer
        .append(&Record { kind, carrier, timestamp, order, now, payload: &message.payload }, true);
}

fn log(c: &mut Criterion) {
    let group = bench::group();
    let bytes: usize = group.iter().map(|message| message.payload.len()).sum();
    let mut bench = c.benchmark_group("log");

    bench.throughput(Throughput::Bytes(bytes as u64));
    bench.bench_function("append", |b| {
        let (mut writer, mut order, mut groups) = (writer(), 0, 0);
        b.iter(|| {
            for message in &group {
                order += 1;
                append(&mut writer, message, order, groups);
            }
            groups += 1;
        });
    });
    // Told of each message, as a shard with little to do is; the difference is the view's.
    bench.bench_function("append_and_refresh", |b| {
        let (mut writer, mut order, mut groups) = (writer(), 0, 0);
        let mut view = View::new(Arc::clone(writer.log()));
        b.iter(|| {
            for message in &group {
                order += 1;
                append(&mut writer, message, order, groups);
                if view.refresh().stale {
                    view.evict();
                }
            }
            groups += 1;
        });
    });
    bench.finish();

    c.bench_function("log/refresh_of_nothing_new", |b| {
        let mut writer = writer();
        append(&mut writer, &group[0], 1, 0);
        let mut view = View::new(Arc::clone(writer.log()));
        view.refresh();
        b.iter(|| view.refresh());
    });
}

criterion_group!(benches, log);
criterion_main!(benches);
