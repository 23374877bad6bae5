//! `onMetaData` as encoders send it: behind `@setDataFrame`, which asks a server to keep it for
//! those who come later (Enhanced RTMP v2, "Metadata Frame"; FLV 10.1, E.5).

use bytes::{Bytes, BytesMut};
use millstream_amf0::{EncodeError, Object, Value, encode_all};

/// The payload of a data message with these properties.
///
/// # Errors
/// A property is too deep or too long to be written.
pub(super) fn set_data_frame(properties: Object) -> Result<Bytes, EncodeError> {
    let mut payload = BytesMut::new();
    let values = ["@setDataFrame".into(), "onMetaData".into(), Value::Object(properties)];
    encode_all(&values, &mut payload)?;
    Ok(payload.freeze())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_told_to_keep_the_properties() {
        let payload = set_data_frame(Object::new().with("width", 1280.0)).unwrap();
        let values = millstream_amf0::decode_all(&payload).unwrap();
        assert_eq!(values[0].as_str(), Some("@setDataFrame"));
        assert_eq!(values[1].as_str(), Some("onMetaData"));
        assert_eq!(values[2].as_object().unwrap().get_number("width"), Some(1280.0));
    }
}
