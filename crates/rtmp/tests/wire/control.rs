//! Control messages, byte for byte and back.

use bytes::Bytes;
use millstream_rtmp::control::*;
use millstream_rtmp::message::{Message, MessageType};
use proptest::collection::vec;
use proptest::prelude::*;

fn message(kind: u8, payload: &[u8]) -> Message {
    Message {
        chunk_stream_id: 2,
        timestamp: 0,
        kind: MessageType(kind),
        stream_id: 0,
        payload: Bytes::copy_from_slice(payload),
    }
}

/// Every message with its exact bytes.
fn table() -> Vec<(u8, Control, &'static [u8])> {
    use BandwidthLimit::*;
    use UserControl::*;
    let bandwidth = |size, limit| Control::SetPeerBandwidth { size, limit };
    vec![
        (1, Control::SetChunkSize(0x0001_0000), &[0, 1, 0, 0]),
        (1, Control::SetChunkSize(u32::MAX), &[0xff; 4]),
        (2, Control::Abort { chunk_stream_id: 65_599 }, &[0, 1, 0, 0x3f]),
        (3, Control::Acknowledgement(0x0102_0304), &[1, 2, 3, 4]),
        (5, Control::WindowAckSize(2_500_000), &[0, 0x26, 0x25, 0xa0]),
        (6, bandwidth(1, Hard), &[0, 0, 0, 1, 0]),
        (6, bandwidth(2, Soft), &[0, 0, 0, 2, 1]),
        (6, bandwidth(3, Dynamic), &[0, 0, 0, 3, 2]),
        (6, bandwidth(4, Other(200)), &[0, 0, 0, 4, 200]),
        (4, StreamBegin(1).into(), &[0, 0, 0, 0, 0, 1]),
        (4, StreamEof(2).into(), &[0, 1, 0, 0, 0, 2]),
        (4, StreamDry(3).into(), &[0, 2, 0, 0, 0, 3]),
        (
            4,
            SetBufferLength { stream_id: 1, ms: 3000 }.into(),
            &[0, 3, 0, 0, 0, 1, 0, 0, 0xb, 0xb8],
        ),
        (4, StreamIsRecorded(4).into(), &[0, 4, 0, 0, 0, 4]),
        (4, PingRequest(0xdead_beef).into(), &[0, 6, 0xde, 0xad, 0xbe, 0xef]),
        (4, PingResponse(0xdead_beef).into(), &[0, 7, 0xde, 0xad, 0xbe, 0xef]),
        (4, BufferEmpty(1).into(), &[0, 31, 0, 0, 0, 1]),
        (4, BufferReady(1).into(), &[0, 32, 0, 0, 0, 1]),
        (4, unknown(5, &[]), &[0, 5]),
        (4, unknown(26, &[1, 2, 3]), &[0, 26, 1, 2, 3]),
        (4, unknown(0xffff, &[]), &[0xff, 0xff]),
    ]
}

fn unknown(event: u16, data: &'static [u8]) -> Control {
    UserControl::Other { event, data: Bytes::from_static(data) }.into()
}

#[test]
fn encodes_and_decodes_exactly() {
    for (kind, control, payload) in table() {
        assert_eq!(control.encode(), message(kind, payload));
        assert_eq!(Control::decode(&message(kind, payload)), Ok(Some(control)));
    }
}

/// Whatever is cut off, an error says so; but Set Peer Bandwidth may lack its limit type, and
/// unknown events have no length of their own.
#[test]
fn too_short() {
    for (kind, control, payload) in table() {
        for len in 0..payload.len() {
            let result = Control::decode(&message(kind, &payload[..len]));
            match control {
                Control::User(UserControl::Other { event, .. }) if len >= 2 => {
                    let data = Bytes::copy_from_slice(&payload[2..len]);
                    assert_eq!(result, Ok(Some(UserControl::Other { event, data }.into())));
                }
                Control::SetPeerBandwidth { size, .. } if len == 4 => {
                    let limit = BandwidthLimit::Dynamic;
                    assert_eq!(result, Ok(Some(Control::SetPeerBandwidth { size, limit })));
                }
                Control::User(_) if len >= 2 => {
                    let event = u16::from_be_bytes([payload[0], payload[1]]);
                    let needed = payload.len() - 2;
                    let error = ControlError::EventTooShort { event, needed, length: len - 2 };
                    assert_eq!(result, Err(error));
                }
                _ => {
                    let needed = if kind == 4 { 2 } else { 4 };
                    let kind = MessageType(kind);
                    assert_eq!(result, Err(ControlError::TooShort { kind, needed, length: len }));
                }
            }
        }
    }
}

#[test]
fn longer_payload_is_read_to_its_length() {
    for (kind, control, payload) in table() {
        if matches!(control, Control::User(UserControl::Other { .. })) {
            continue;
        }
        let longer = [payload, &[0xee; 3]].concat();
        assert_eq!(Control::decode(&message(kind, &longer)), Ok(Some(control)));
    }
}

#[test]
fn other_types_are_no_control_messages() {
    for kind in (0..=255).filter(|kind| !(1..=6).contains(kind)) {
        assert_eq!(Control::decode(&message(kind, &[0; 10])), Ok(None));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// What decodes encodes to the same meaning.
    #[test]
    fn random_payloads(kind in 0u8..8, payload in vec(any::<u8>(), 0..12), small_event: bool) {
        let mut payload = payload;
        if let (true, Some(high)) = (small_event, payload.first_mut()) {
            *high = 0;
        }
        if let Ok(Some(control)) = Control::decode(&message(kind, &payload)) {
            let again = control.encode();
            prop_assert!(again.payload.len() <= payload.len().max(5));
            prop_assert_eq!(Control::decode(&again), Ok(Some(control)));
        }
    }
}
