//! Instructions, counted under valgrind, of this project's chunks and AMF0 beside those of the other
//! published libraries for Rust; for those that hash with a random seed they differ from run to run.
//! What they are of stands in the workspace's `benches/common`, limits for this project's in its
//! `benches/instructions.rs`. Needs `gungraun-runner` and valgrind (`tests/install.sh`).
#![allow(missing_docs, reason = "the macros make functions without documentation")]
#![allow(unused_qualifications, reason = "the macros qualify what they repeat")]

#[path = "../../benches/common/counting.rs"]
mod counting;

use bench_codec::{amf0, chunk};
use counting::{Work, config, decode, encode, read, write};
use gungraun::prelude::*;
use versus::{amf0 as others_amf0, chunk as others_chunk};

#[library_benchmark(config = config(None))]
#[bench::millstream(read::<chunk::Millstream>())]
#[bench::rml_rtmp(read::<others_chunk::Rml>())]
#[bench::scuffle_rtmp(read::<others_chunk::Scuffle>())]
#[bench::rtmp_rs(read::<others_chunk::RtmpRs>())]
#[bench::oxideav_rtmp(read::<others_chunk::Oxideav>())]
fn chunk_read(mut work: Work) -> Work {
    work();
    work
}

#[library_benchmark(config = config(None))]
#[bench::millstream(write::<chunk::Millstream>())]
#[bench::rml_rtmp(write::<others_chunk::Rml>())]
#[bench::scuffle_rtmp(write::<others_chunk::Scuffle>())]
#[bench::rtmp_rs(write::<others_chunk::RtmpRs>())]
#[bench::oxideav_rtmp(write::<others_chunk::Oxideav>())]
fn chunk_write(mut work: Work) -> Work {
    work();
    work
}

#[library_benchmark(config = config(None))]
#[bench::connect_millstream(decode::<amf0::Millstream>(amf0::connect()))]
#[bench::connect_rml_amf0(decode::<others_amf0::Rml>(amf0::connect()))]
#[bench::connect_scuffle_amf0(decode::<others_amf0::Scuffle>(amf0::connect()))]
#[bench::connect_rtmp_rs(decode::<others_amf0::RtmpRs>(amf0::connect()))]
#[bench::connect_oxideav_rtmp(decode::<others_amf0::Oxideav>(amf0::connect()))]
#[bench::connect_amf(decode::<others_amf0::Amf>(amf0::connect()))]
#[bench::metadata_millstream(decode::<amf0::Millstream>(amf0::metadata()))]
#[bench::metadata_rml_amf0(decode::<others_amf0::Rml>(amf0::metadata()))]
#[bench::metadata_rtmp_rs(decode::<others_amf0::RtmpRs>(amf0::metadata()))]
#[bench::metadata_oxideav_rtmp(decode::<others_amf0::Oxideav>(amf0::metadata()))]
#[bench::metadata_amf(decode::<others_amf0::Amf>(amf0::metadata()))]
fn amf0_decode(mut work: Work) -> Work {
    work();
    work
}

#[library_benchmark(config = config(None))]
#[bench::connect_millstream(encode::<amf0::Millstream>(amf0::connect()))]
#[bench::connect_rml_amf0(encode::<others_amf0::Rml>(amf0::connect()))]
#[bench::connect_scuffle_amf0(encode::<others_amf0::Scuffle>(amf0::connect()))]
#[bench::connect_rtmp_rs(encode::<others_amf0::RtmpRs>(amf0::connect()))]
#[bench::connect_oxideav_rtmp(encode::<others_amf0::Oxideav>(amf0::connect()))]
#[bench::connect_amf(encode::<others_amf0::Amf>(amf0::connect()))]
#[bench::metadata_millstream(encode::<amf0::Millstream>(amf0::metadata()))]
#[bench::metadata_rml_amf0(encode::<others_amf0::Rml>(amf0::metadata()))]
#[bench::metadata_rtmp_rs(encode::<others_amf0::RtmpRs>(amf0::metadata()))]
#[bench::metadata_oxideav_rtmp(encode::<others_amf0::Oxideav>(amf0::metadata()))]
#[bench::metadata_amf(encode::<others_amf0::Amf>(amf0::metadata()))]
fn amf0_encode(mut work: Work) -> Work {
    work();
    work
}

library_benchmark_group!(
    name = counts,
    benchmarks = [chunk_read, chunk_write, amf0_decode, amf0_encode]
);
main!(library_benchmark_groups = counts);
