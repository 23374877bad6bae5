//! FLV: the tags of a file, and the headers of sound and pictures that RTMP carries too, those of
//! Enhanced RTMP included.
//!
//! An RTMP audio or video message is the payload of an FLV tag, so the headers serve both:
//!
//! ```
//! use millstream_flv::{VideoCodec, VideoHeader};
//!
//! // A key frame of H.264, to be shown 80 ms after it is decoded.
//! let header = VideoHeader::parse(&[0x17, 0x01, 0x00, 0x00, 0x50, 0x65, 0x88])?;
//! assert!(header.is_key_frame());
//! assert_eq!(header.codec, VideoCodec::Avc);
//! assert_eq!((header.composition_time, header.header_len), (80, 5));
//!
//! // The sequence start of H.265 by Enhanced RTMP.
//! let header = VideoHeader::parse(b"\x90hvc1\x01")?;
//! assert!(header.is_sequence_start());
//! assert_eq!(header.codec, VideoCodec::FourCc(*b"hvc1"));
//! # Ok::<(), millstream_flv::HeaderError>(())
//! ```
//!
//! Files go through [`Reader`] and [`Writer`], which see bytes and never a file:
//!
//! ```
//! use bytes::BytesMut;
//! use millstream_flv::{Header, Item, Reader, TagKind, Writer};
//!
//! let mut file = BytesMut::new();
//! let mut writer = Writer::new();
//! writer.header(Header { audio: false, video: true }, &mut file);
//! writer.tag(TagKind::Video, 40, b"\x27\x01\0\0\0...", &mut file)?;
//!
//! let mut reader = Reader::new();
//! let mut input = &file[..];
//! while let Some(item) = reader.read(&mut input)? {
//!     if let Item::Tag(tag) = item {
//!         assert_eq!((tag.kind, tag.timestamp), (TagKind::Video, 40));
//!     }
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The one rule: give a header parser a *whole* message, and a reader all bytes in order; when they
//! end, say so with [`Reader::finish`] and read what is left.
//!
//! # What this crate does not do
//!
//! It decodes nothing: the configurations are read by `millstream-media`, script data by
//! `millstream-amf0`. It does not decrypt, and it does not index or repair files. Codecs it does
//! not know are values that can be relayed, never errors.
#![forbid(unsafe_code)]

pub mod audio;
mod cursor;
mod error;
mod ex;
mod reader;
mod script;
mod tag;
pub mod video;
mod writer;

pub use audio::{AudioCodec, AudioHeader, AudioPacketType};
pub use error::HeaderError;
pub use ex::{MOD_EX_MAX, Multitrack};
pub use reader::{Item, ReadError, Reader};
pub use script::{ScriptData, ScriptError};
pub use tag::{Header, TAG_HEADER_LEN, Tag, TagKind, tag_header};
pub use video::{FrameType, VideoCodec, VideoHeader, VideoPacketType};
pub use writer::{WriteError, Writer};

/// The example of the README is compiled and run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
