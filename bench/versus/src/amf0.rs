//! AMF0, by the other libraries. What each is asked for stands in [`bench_codec::amf0`].
//!
//! Two differences remain, which are the libraries' own: `scuffle-amf0` lends its strings from the
//! bytes where the others copy them, and three keep an object's properties in a hash map, so that
//! their order is lost.

use bench_codec::amf0::{Library, ROOM};
use bytes::Bytes;
use oxideav_rtmp::amf as oxideav;
use rtmp_rs::amf as rtmp_rs_amf;

/// `rml_amf0`, which writes ECMA arrays as objects, to a buffer that starts empty.
pub struct Rml;

impl Library for Rml {
    const NAME: &'static str = "rml_amf0";
    type Values<'a> = Vec<rml_amf0::Amf0Value>;

    fn decode(wire: &Bytes) -> Self::Values<'_> {
        rml_amf0::deserialize(&mut &wire[..]).expect("the wire is valid")
    }

    fn encode<R>(values: &Self::Values<'_>, done: impl FnOnce(&[u8]) -> R) -> R {
        done(&rml_amf0::serialize(values).expect("they can be written"))
    }
}

/// `scuffle-amf0`. It takes the end of an ECMA array for the beginning of a number, so that a whole
/// `onMetaData` is an error to it: it is given `connect` alone.
pub struct Scuffle;

impl Library for Scuffle {
    const NAME: &'static str = "scuffle-amf0";
    type Values<'a> = Vec<scuffle_amf0::Amf0Value<'a>>;

    fn decode(wire: &Bytes) -> Self::Values<'_> {
        scuffle_amf0::Amf0Decoder::from_slice(wire).decode_all().expect("the wire is valid")
    }

    fn encode<R>(values: &Self::Values<'_>, done: impl FnOnce(&[u8]) -> R) -> R {
        let mut out = Vec::with_capacity(ROOM);
        let mut encoder = scuffle_amf0::Amf0Encoder::new(&mut out);
        for value in values {
            value.encode(&mut encoder).expect("they can be written");
        }
        done(&out)
    }
}

/// `rtmp-rs`.
pub struct RtmpRs;

impl Library for RtmpRs {
    const NAME: &'static str = "rtmp-rs";
    type Values<'a> = Vec<rtmp_rs_amf::AmfValue>;

    fn decode(wire: &Bytes) -> Self::Values<'_> {
        rtmp_rs_amf::Amf0Decoder::new().decode_all(&mut wire.clone()).expect("the wire is valid")
    }

    fn encode<R>(values: &Self::Values<'_>, done: impl FnOnce(&[u8]) -> R) -> R {
        done(&rtmp_rs_amf::amf0::encode_all(values))
    }
}

/// `oxideav-rtmp`.
pub struct Oxideav;

impl Library for Oxideav {
    const NAME: &'static str = "oxideav-rtmp";
    type Values<'a> = Vec<oxideav::Amf0Value>;

    fn decode(wire: &Bytes) -> Self::Values<'_> {
        oxideav::decode_all(wire).expect("the wire is valid")
    }

    fn encode<R>(values: &Self::Values<'_>, done: impl FnOnce(&[u8]) -> R) -> R {
        let mut out = Vec::with_capacity(ROOM);
        values.iter().for_each(|value| oxideav::encode(&mut out, value));
        done(&out)
    }
}

/// `amf`, which speaks AMF alone.
pub struct Amf;

impl Library for Amf {
    const NAME: &'static str = "amf";
    type Values<'a> = Vec<amf::Amf0Value>;

    fn decode(wire: &Bytes) -> Self::Values<'_> {
        let (mut rest, mut values) = (&wire[..], Vec::new());
        while !rest.is_empty() {
            values.push(amf::Amf0Value::read_from(&mut rest).expect("the wire is valid"));
        }
        values
    }

    fn encode<R>(values: &Self::Values<'_>, done: impl FnOnce(&[u8]) -> R) -> R {
        let mut out = Vec::with_capacity(ROOM);
        for value in values {
            value.write_to(&mut out).expect("a vector takes everything");
        }
        done(&out)
    }
}
