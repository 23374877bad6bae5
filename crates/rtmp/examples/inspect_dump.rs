//! Lists the messages in the bytes that one side of an RTMP connection sent.
//!
//! ```text
//! inspect_dump [--handshake] FILE
//! ```
//!
//! FILE holds the bytes as they were on the wire, for example a stream followed and saved from a
//! packet capture. With `--handshake` it begins with the handshake, otherwise right after it. What
//! commands and media mean is not looked at; control messages are spelled out.

use std::error::Error;
use std::fs;

use bytes::BytesMut;
use millstream_rtmp::aggregate::split_aggregate;
use millstream_rtmp::chunk::{ChunkLimits, ChunkReader};
use millstream_rtmp::control::Control;
use millstream_rtmp::handshake::{Progress, ServerHandshake};
use millstream_rtmp::message::{Message, MessageType};

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<_> = std::env::args().skip(1).collect();
    let (with_handshake, path) = match &args[..] {
        [path] => (false, path),
        [option, path] if option == "--handshake" => (true, path),
        _ => return Err("usage: inspect_dump [--handshake] FILE".into()),
    };
    let dump = fs::read(path)?;
    let mut input = &dump[..];
    if with_handshake {
        // Both sides send the same lengths, so the server's machine takes either. Its answers go
        // nowhere.
        let progress = ServerHandshake::new([0; 32]).receive(&mut input, &mut BytesMut::new())?;
        if progress == Progress::NeedMore {
            return Err("the dump ends within the handshake".into());
        }
    }

    let mut reader = ChunkReader::new(ChunkLimits::default());
    println!("    offset  chunks      time  type  stream    length");
    while let Some(message) = reader.read(&mut input)? {
        let end = dump.len() - input.len();
        println!("{end:>10}  {}", describe(&message));
        if message.kind == MessageType::AGGREGATE {
            for part in split_aggregate(&message)? {
                println!("{:>10}  {}", "part", describe(&part?));
            }
        }
        // What a connection does between two messages.
        match Control::decode(&message)? {
            Some(Control::SetChunkSize(size)) => reader.set_chunk_size(size)?,
            Some(Control::Abort { chunk_stream_id }) => reader.abort(chunk_stream_id),
            _ => {}
        }
    }
    println!(
        "{} bytes read, {} of unfinished messages",
        reader.bytes_read(),
        reader.reassembly_bytes()
    );
    Ok(())
}

/// One line: the envelope, and the meaning of a control message.
fn describe(message: &Message) -> String {
    let Message { chunk_stream_id, timestamp, kind, stream_id, payload } = message;
    let meaning = match Control::decode(message) {
        Ok(Some(control)) => format!("{control:?}"),
        Ok(None) => name(*kind).to_owned(),
        Err(error) => error.to_string(),
    };
    format!(
        "{chunk_stream_id:>6}  {timestamp:>8}  {:>4}  {stream_id:>6}  {:>8}  {meaning}",
        kind.0,
        payload.len()
    )
}

fn name(kind: MessageType) -> &'static str {
    match kind {
        MessageType::AUDIO => "audio",
        MessageType::VIDEO => "video",
        MessageType::DATA_AMF0 | MessageType::DATA_AMF3 => "data",
        MessageType::COMMAND_AMF0 | MessageType::COMMAND_AMF3 => "command",
        MessageType::SHARED_OBJECT_AMF0 | MessageType::SHARED_OBJECT_AMF3 => "shared object",
        MessageType::AGGREGATE => "aggregate",
        _ => "unknown",
    }
}
