//! AMF0: the command that opens every connection, and the metadata that every stream has.
#![allow(missing_docs, reason = "the criterion macros make functions without documentation")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use millstream_amf0::{Object, Value, decode_all, encode_all};
use std::hint::black_box;

/// `connect` as OBS sends it.
fn connect() -> Vec<Value> {
    let object = Object::new()
        .with("app", "live")
        .with("type", "nonprivate")
        .with("flashVer", "FMLE/3.0 (compatible; FMSc/1.0)")
        .with("swfUrl", "rtmp://127.0.0.1:1935/live")
        .with("tcUrl", "rtmp://127.0.0.1:1935/live");
    vec!["connect".into(), 1.0.into(), Value::Object(object)]
}

/// `onMetaData` of the length that ffmpeg sends.
fn metadata() -> Vec<Value> {
    let mut object = Object::new().with("encoder", "Lavf60.16.100").with("stereo", true);
    for name in [
        "duration",
        "width",
        "height",
        "videodatarate",
        "framerate",
        "videocodecid",
        "audiodatarate",
        "audiosamplerate",
        "audiosamplesize",
        "audiocodecid",
        "filesize",
    ] {
        object.insert(name, 1280.0);
    }
    vec!["onMetaData".into(), Value::EcmaArray(object)]
}

fn amf0(c: &mut Criterion) {
    let mut bench = c.benchmark_group("amf0");
    for (name, values) in [("connect", connect()), ("metadata", metadata())] {
        let mut wire = Vec::new();
        encode_all(&values, &mut wire).expect("these values can be written");
        bench.throughput(Throughput::Bytes(wire.len() as u64));
        bench.bench_function(format!("decode/{name}"), |b| {
            b.iter(|| decode_all(black_box(&wire)).expect("it was written by our own encoder"));
        });
        let mut out = Vec::with_capacity(wire.len());
        bench.bench_function(format!("encode/{name}"), |b| {
            b.iter(|| {
                out.clear();
                encode_all(black_box(&values), &mut out).expect("these values can be written");
            });
        });
    }
    bench.finish();
}

criterion_group!(benches, amf0);
criterion_main!(benches);
