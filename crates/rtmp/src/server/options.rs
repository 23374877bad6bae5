//! What a server chooses for its connections.

use super::connect::CAPS_EX_ALL;
use crate::chunk::ChunkLimits;
use crate::limits::{ACKNOWLEDGEMENT_WINDOW, DATA_BYTES_MAX, HELD_BYTES_MAX};
use std::sync::Arc;

/// Settings of one server connection; the same for all of a server, as a rule.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// Bytes per chunk of what is sent, announced when `connect` is accepted. One message per
    /// chunk costs least; players are known to accept up to 10 MiB.
    pub chunk_size: u32,
    /// After how many bytes the peer shall acknowledge, announced with `connect`'s answer. Also
    /// the window in which the peer's bytes are acknowledged until it names its own.
    pub window_ack_size: u32,
    /// The peer bandwidth announced with `connect`'s answer, bytes.
    pub peer_bandwidth: u32,
    /// What the server calls itself in `connect`'s answer (`fmsVer`). Old players compare it with the
    /// version of a Flash Media Server; the default is the one that most servers claim.
    pub fms_ver: Arc<str>,
    /// The capability flags announced (Enhanced RTMP v2, `CapsExMask`).
    pub caps_ex: u32,
    /// Whether players are sent `|RtmpSampleAccess` and `NetStream.Data.Start` before the stream.
    /// Flash players wanted the first to let scripts see pixels and samples; ffmpeg makes a third,
    /// empty stream of the two, which `-map 0` then fails on.
    pub flash_data: bool,
    /// Bytes held while a request of the peer waits for its answer.
    pub held_bytes_max: u32,
    /// Bytes of one data message.
    pub data_bytes_max: u32,
    /// Limits of the chunk layer; the longest message among them.
    pub chunk_limits: ChunkLimits,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            chunk_size: 1024 * 1024,
            window_ack_size: ACKNOWLEDGEMENT_WINDOW,
            peer_bandwidth: ACKNOWLEDGEMENT_WINDOW,
            fms_ver: "FMS/3,5,7,7009".into(),
            caps_ex: CAPS_EX_ALL,
            flash_data: false,
            held_bytes_max: HELD_BYTES_MAX,
            data_bytes_max: DATA_BYTES_MAX as u32,
            chunk_limits: ChunkLimits::default(),
        }
    }
}
