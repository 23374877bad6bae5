//! AMF0, as a library reads and writes it; and the command that opens every connection and the
//! metadata that every stream has. What is timed or counted stands in the benches.
//!
//! A library decodes a whole message to values and encodes values to a buffer.

use bytes::Bytes;
use millstream_amf0::{Object, Value, decode_all, encode_all};

/// Bytes that a buffer to write to has room for, where the library leaves it to its user: as many
/// as in the buffer that `rtmp-rs` makes itself.
pub const ROOM: usize = 256;

/// A library that reads and writes AMF0.
pub trait Library {
    /// The name of its package.
    const NAME: &'static str;
    /// The values of a message.
    type Values<'a>;

    /// Decodes a message. Who wants shared bytes takes a reference to these.
    fn decode(wire: &Bytes) -> Self::Values<'_>;

    /// Encodes the values of a message and hands on the bytes.
    fn encode<R>(values: &Self::Values<'_>, done: impl FnOnce(&[u8]) -> R) -> R;
}

/// This project's.
pub struct Millstream;

impl Library for Millstream {
    const NAME: &'static str = "millstream-amf0";
    type Values<'a> = Vec<Value>;

    fn decode(wire: &Bytes) -> Vec<Value> {
        decode_all(wire).expect("the wire is valid")
    }

    fn encode<R>(values: &Vec<Value>, done: impl FnOnce(&[u8]) -> R) -> R {
        let mut out = Vec::with_capacity(ROOM);
        encode_all(values, &mut out).expect("they can be written");
        done(&out)
    }
}

/// `connect` as OBS sends it.
pub fn connect() -> Bytes {
    let object = Object::new()
        .with("app", "live")
        .with("type", "nonprivate")
        .with("flashVer", "FMLE/3.0 (compatible; FMSc/1.0)")
        .with("swfUrl", "rtmp://127.0.0.1:1935/live")
        .with("tcUrl", "rtmp://127.0.0.1:1935/live");
    wire(&["connect".into(), 1.0.into(), Value::Object(object)])
}

/// `onMetaData` of the length that ffmpeg sends.
pub fn metadata() -> Bytes {
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
    wire(&["onMetaData".into(), Value::EcmaArray(object)])
}

fn wire(values: &[Value]) -> Bytes {
    let mut wire = Vec::new();
    encode_all(values, &mut wire).expect("these values can be written");
    wire.into()
}

/// Sees that a library does the whole work: that every property survives its decoder and its
/// encoder.
///
/// # Panics
/// If one does not. Its figures would be worth nothing.
pub fn check<L: Library>(wire: &Bytes) {
    let again = L::encode(&L::decode(wire), <[u8]>::to_vec);
    assert_eq!(properties(&again), properties(wire), "{} loses something", L::NAME);
}

/// The values of a message, with the properties of its objects and ECMA arrays by name.
fn properties(wire: &[u8]) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for value in decode_all(wire).expect("it is valid") {
        match value {
            Value::Object(object) | Value::EcmaArray(object) => {
                let mut inner: Vec<_> =
                    object.iter().map(|(name, value)| (name.to_owned(), value.clone())).collect();
                inner.sort_by(|one, other| one.0.cmp(&other.0));
                found.append(&mut inner);
            }
            value => found.push((String::new(), value)),
        }
    }
    found
}
