//! Writes a list of objects of one class, prints its bytes, and reads it back: the first object
//! carries the names, the others refer to them.

use std::sync::Arc;

use millstream_amf3::{Decoder, Limits, Object, Properties, Traits, Value, encode};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let traits = Arc::new(Traits {
        class: "Viewer".into(),
        dynamic: false,
        sealed: vec!["name".into(), "country".into(), "joined".into()],
    });
    let mut viewers = Vec::new();
    for (name, country) in [("ada", "uk"), ("grace", "us"), ("alan", "uk")] {
        let sealed = vec![name.into(), country.into(), Value::Date(1.7e12)];
        viewers.push(Object::new(traits.clone(), sealed, Properties::new())?.into());
    }
    let mut wire = Vec::new();
    encode(&Value::from(viewers), &mut wire)?;

    for line in wire.chunks(16) {
        for byte in line {
            print!("{byte:02x} ");
        }
        println!();
    }

    let mut decoder = Decoder::new(&wire, Limits::default());
    while let Some(value) = decoder.next()? {
        for viewer in value.as_array().map_or(&[][..], |array| &array.dense) {
            let Some(viewer) = viewer.as_object() else { continue };
            println!("{}", viewer.class());
            for (name, value) in viewer.iter() {
                println!("  {name}: {value:?}");
            }
        }
    }
    Ok(())
}
