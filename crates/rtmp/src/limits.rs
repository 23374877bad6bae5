//! Every maximum of the sessions, each with its reason.
//!
//! The limits of the chunk layer (message length, reassembly, chunk streams) are fields of
//! `ChunkLimits` and the depth and size of AMF0 values those of the AMF0 decoder; they are not
//! repeated here. What a deployment may want to tune is a field of the options instead and starts
//! from the value given here.

/// Bytes of one command message. The longest commands seen are `connect` with a signed URL in
/// each of `app`, `tcUrl`, `swfUrl` and `pageUrl`, about 8 KiB.
pub const COMMAND_BYTES_MAX: usize = 64 * 1024;

/// Values after the transaction id of a command. `play` has five; a caller's own RPC a few more.
pub const COMMAND_ARGUMENTS_MAX: usize = 64;

/// AMF0 values within one command, nested ones included. `connect` with two codec maps has 80.
pub const COMMAND_VALUES_MAX: u32 = 4096;

/// Bytes of one data message. Metadata is below 4 KiB; text and ad markers stay below 100 KiB.
/// A viewer who joins is sent the metadata, so its size is multiplied by the audience.
pub const DATA_BYTES_MAX: usize = 1024 * 1024;

/// Bytes of an application or stream name together with its query. Tokens in the query are
/// signed and run to 2 KiB.
pub const NAME_BYTES_MAX: usize = 4096;

/// Message streams alive at once on one connection. Multitrack encoders open up to 6.
pub const MESSAGE_STREAMS_MAX: usize = 16;

/// Refused commands before the peer is taken for broken. An encoder that retries its publish in
/// the same connection does so a few times; a loop does so for ever.
pub const REFUSALS_MAX: u32 = 64;

/// Media or data messages for no publishing stream before the peer is taken for broken. After
/// `FCUnpublish` or a refusal, an encoder empties its queue: 10 s of 60 fps with audio is 1,100.
pub const STRAY_MESSAGES_MAX: u32 = 4096;

/// Commands of the caller's own whose answers a client session waits for. Most are never answered.
pub const CALLS_MAX: usize = 64;

/// Bytes held for a request that the caller has not answered yet. Encoders wait for the answer;
/// those that do not send their sequence headers and a key frame at once.
pub const HELD_BYTES_MAX: u32 = 512 * 1024;

/// Messages held for a request not answered yet: an empty message costs memory too.
pub const HELD_MESSAGES_MAX: usize = 1024;

/// Bytes of answers produced while the caller took none of the output. A peer that sends commands
/// and reads nothing fills its own socket first; then this stops it.
pub const UNREAD_ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Messages waiting in a session that nobody drains (callers of the message-level sessions).
pub const UNREAD_ANSWERS_MAX: usize = 1024;

/// Room for events that a session keeps when its queue runs empty. What a late answer released is
/// up to [`HELD_MESSAGES_MAX`] events, and comes once.
pub const EVENTS_KEPT: usize = 16;

/// The smallest acknowledgement window honoured. A peer that asks for an acknowledgement of each
/// byte is acknowledged each 8 KiB.
pub const ACKNOWLEDGEMENT_WINDOW_MIN: u32 = 8 * 1024;

/// The acknowledgement window used until the peer names one, and announced to it (bytes). Peers
/// announce 2.5 to 5 million.
pub const ACKNOWLEDGEMENT_WINDOW: u32 = 5_000_000;

/// Messages within one aggregate. Flash Media Server put a few frames into one; each becomes an
/// event that waits for the caller, several times the eleven bytes that an empty one takes.
pub const AGGREGATE_PARTS_MAX: usize = 4096;

/// Entries read from each list of codecs in `connect`. Fewer than 20 codecs have a FourCC.
pub const FOUR_CC_MAX: usize = 64;

const _: () = assert!(NAME_BYTES_MAX < COMMAND_BYTES_MAX);
const _: () = assert!(COMMAND_BYTES_MAX <= DATA_BYTES_MAX);
const _: () = assert!(ACKNOWLEDGEMENT_WINDOW_MIN < ACKNOWLEDGEMENT_WINDOW);
