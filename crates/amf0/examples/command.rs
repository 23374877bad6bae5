//! Builds the `connect` command of an RTMP client, prints its bytes, and reads it back.

use bytes::BytesMut;
use millstream_amf0::{Decoder, Limits, Object, Value, encode_all};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Object::new()
        .with("app", "live")
        .with("flashVer", "FMLE/3.0 (compatible; example)")
        .with("tcUrl", "rtmp://example.org/live")
        .with("fpad", false);
    let mut wire = BytesMut::new();
    encode_all(&["connect".into(), 1.0.into(), arguments.into()], &mut wire)?;

    for line in wire.chunks(16) {
        for byte in line {
            print!("{byte:02x} ");
        }
        println!();
    }

    let mut decoder = Decoder::new(&wire, Limits::default());
    while let Some(value) = decoder.next()? {
        match value {
            Value::Object(object) => {
                for (name, value) in object.iter() {
                    println!("{name}: {value:?}");
                }
            }
            other => println!("{other:?}"),
        }
    }
    Ok(())
}
