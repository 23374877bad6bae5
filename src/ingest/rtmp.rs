//! What an RTMP publisher's message is: a frame, a key frame, a header, data.
//!
//! Only the first bytes of a payload are looked at (FLV 10.1, annex E.4; Enhanced RTMP v2). A
//! payload that does not parse is relayed as an ordinary frame.

use crate::stream::headers::{Carrier, HeaderSlot};
use crate::stream::segment::Kind;
use crate::stream::writer::Arrival;
use millstream_flv::audio::{AudioHeader, AudioPacketType};
use millstream_flv::video::VideoHeader;
use millstream_rtmp::message::{Message, MessageType};
use millstream_rtmp::session::{Data, DataFrame};

/// The part of a track's headers: its configuration, or what else a decoder must know of it.
const CONFIGURATION: u8 = 0;
/// Colour and other metadata of a video track (Enhanced RTMP v2, `VideoPacketType.Metadata`).
const METADATA: u8 = 1;
/// Channel layout of an audio track (Enhanced RTMP v2, `AudioPacketType.MultichannelConfig`).
const CHANNELS: u8 = 1;

/// An audio or video message; `None` for any other, and for one without payload: Flash sends such
/// as a sign of life, no decoder wants them, and a byte on the wire is enough to make one.
pub fn media(message: &Message) -> Option<Arrival<'_>> {
    if message.payload.is_empty() {
        return None;
    }
    let (carrier, kind, header) = match message.kind {
        MessageType::AUDIO => {
            let (kind, header) = audio(&message.payload);
            (Carrier::Audio, kind, header)
        }
        MessageType::VIDEO => {
            let (kind, header) = video(&message.payload);
            (Carrier::Video, kind, header)
        }
        _ => return None,
    };
    let header = header.map(|(track, part)| HeaderSlot { carrier, track, part });
    let source_ms = message.timestamp;
    Some(Arrival { carrier, kind, header, source_ms, payload: &message.payload })
}

/// A data message. `@setDataFrame` and a bare `onMetaData` are headers, as every server has it.
pub fn data(data: &Data) -> Arrival<'_> {
    let keep = data.frame == DataFrame::Set || data.name == "onMetaData";
    let header = keep.then(|| HeaderSlot {
        carrier: Carrier::Data,
        track: 0,
        // Several names may be set; two that share a part replace each other, which is harmless
        // for all but the one name that everybody sets.
        part: if data.name == "onMetaData" { 0 } else { 1 },
    });
    Arrival {
        carrier: Carrier::Data,
        kind: Kind::Data,
        header,
        source_ms: data.timestamp,
        payload: &data.payload,
    }
}

fn audio(payload: &[u8]) -> (Kind, Option<(u8, u8)>) {
    let Ok(header) = AudioHeader::parse(payload) else { return (Kind::Audio, None) };
    let track = header.track_id;
    if header.is_sequence_start() {
        (Kind::AudioHeader, Some((track, CONFIGURATION)))
    } else if header.packet_type == AudioPacketType::MultichannelConfig {
        (Kind::AudioHeader, Some((track, CHANNELS)))
    } else {
        (Kind::Audio, None)
    }
}

fn video(payload: &[u8]) -> (Kind, Option<(u8, u8)>) {
    let Ok(header) = VideoHeader::parse(payload) else { return (Kind::Video, None) };
    let track = header.track_id;
    if header.is_sequence_start() {
        (Kind::VideoHeader, Some((track, CONFIGURATION)))
    } else if header.is_metadata() {
        (Kind::VideoHeader, Some((track, METADATA)))
    } else if header.is_key_frame() && track == 0 {
        // Further tracks have key frames of their own; joiners begin at those of the first.
        (Kind::VideoKey, None)
    } else {
        (Kind::Video, None)
    }
}
