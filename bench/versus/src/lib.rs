//! The other published libraries for Rust that read and write chunks and AMF0, behind the traits of
//! [`bench_codec`], to be held against this project's in the benches. Nothing is measured here.

#![forbid(unsafe_code)]

pub mod amf0;
pub mod chunk;
