//! How a publisher hands over what it sends. What becomes of it stands in `uplink`.

use super::Client;
use crate::uplink::{Class, Fate, SET_DATA_FRAME, is_metadata};
use bytes::{BufMut, Bytes, BytesMut};
use millstream_amf0::{Object, Value};
use millstream_flv::{ScriptData, Tag, TagKind};
use millstream_rtmp::chunk::MESSAGE_BYTES_MAX;
use millstream_rtmp::session::RequestId;
use std::fmt;

/// Why a message was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendError {
    /// Nothing is published under this request: not accepted yet, refused, or ended.
    NotPublishing,
    /// The payload has 16 MiB or more, or a text in it is too long for AMF0.
    TooLong,
}

/// Timestamps are milliseconds modulo 2^32. Each method queues one message and says whether it was
/// [skipped](Fate::Skipped) because the uplink has backed up.
impl Client {
    /// Sends sound; the payload is that of an FLV audio tag.
    ///
    /// # Errors
    /// [`SendError`] says why nothing was taken.
    pub fn audio(
        &mut self,
        stream: RequestId,
        timestamp: u32,
        payload: Bytes,
    ) -> Result<Fate, SendError> {
        self.tag(stream, Tag { kind: TagKind::Audio, timestamp, payload })
    }

    /// Sends pictures; the payload is that of an FLV video tag.
    ///
    /// # Errors
    /// As [`Client::audio`].
    pub fn video(
        &mut self,
        stream: RequestId,
        timestamp: u32,
        payload: Bytes,
    ) -> Result<Fate, SendError> {
        self.tag(stream, Tag { kind: TagKind::Video, timestamp, payload })
    }

    /// Sends `onMetaData`, which the server shall give to each later viewer too.
    ///
    /// # Errors
    /// As [`Client::audio`].
    pub fn metadata(
        &mut self,
        stream: RequestId,
        timestamp: u32,
        metadata: Object,
    ) -> Result<Fate, SendError> {
        self.data(stream, timestamp, "onMetaData", metadata.into())
    }

    /// Sends data under a name, such as `onTextData` or `onCuePoint`.
    ///
    /// # Errors
    /// As [`Client::audio`].
    pub fn data(
        &mut self,
        stream: RequestId,
        timestamp: u32,
        name: &str,
        value: Value,
    ) -> Result<Fate, SendError> {
        let mut payload = BytesMut::new();
        let script = ScriptData::new(name, value);
        script.write(&mut payload).map_err(|_| SendError::TooLong)?;
        self.tag(stream, Tag { kind: TagKind::Script, timestamp, payload: payload.freeze() })
    }

    /// Sends a tag of an FLV file. Metadata is marked as what the server shall keep.
    ///
    /// # Errors
    /// As [`Client::audio`].
    pub fn tag(&mut self, stream: RequestId, mut tag: Tag) -> Result<Fate, SendError> {
        if tag.kind == TagKind::Script && Class::of(&tag) == Class::Metadata {
            tag.payload = set_data_frame(tag.payload);
        }
        if tag.payload.len() > MESSAGE_BYTES_MAX as usize {
            return Err(SendError::TooLong);
        }
        self.uplink.push(stream, tag).ok_or(SendError::NotPublishing)
    }
}

fn set_data_frame(metadata: Bytes) -> Bytes {
    debug_assert!(is_metadata(&metadata), "metadata of any other name is relayed once");
    if metadata.starts_with(SET_DATA_FRAME) {
        return metadata;
    }
    let mut payload = BytesMut::with_capacity(SET_DATA_FRAME.len() + metadata.len());
    payload.put_slice(SET_DATA_FRAME);
    payload.put_slice(&metadata);
    payload.freeze()
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotPublishing => "nothing is published under this request, or not any more",
            Self::TooLong => "a message of 16 MiB or more, or a text too long for AMF0",
        })
    }
}

impl std::error::Error for SendError {}
