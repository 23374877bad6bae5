//! Writes the seeds of all targets under `corpus/`: `cargo run --example seeds`. The files are
//! committed; run it again when a seed is added here.

use std::{fs, io, path::Path, sync::Arc};

use bytes::{Bytes, BytesMut};
use millstream_amf0::{Object, Value, encode_all};
use millstream_flv::{Header, TagKind, Writer};
use millstream_rtmp::{
    chunk::ChunkWriter,
    control::{Control, UserControl},
    message::{Message, MessageType},
};

fn main() -> io::Result<()> {
    amf0()?;
    amf3()?;
    flv()?;
    media()?;
    handshake()?;
    chunk()?;
    sessions()
}

fn save(target: &str, name: &str, seed: &[u8]) -> io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    fs::create_dir_all(&folder)?;
    fs::write(folder.join(name), seed)
}

fn wire(values: &[Value]) -> BytesMut {
    let mut wire = BytesMut::new();
    encode_all(values, &mut wire).expect("the seeds can be written");
    wire
}

fn amf0() -> io::Result<()> {
    let object = Object::new().with("app", "live").with("fpad", false).with("n", 1.5);
    let typed = Value::TypedObject { class: "C".into(), properties: object.clone() };
    let values = [
        "connect".into(),
        1.0.into(),
        Value::Object(object.clone()),
        Value::EcmaArray(object),
        Value::StrictArray(vec![Value::Null, Value::Undefined, Value::Unsupported]),
        typed,
        Value::Reference(0),
        Value::Date { ms: 1e12, zone: -60 },
        Value::LongString("long".into()),
        Value::XmlDocument("<a/>".into()),
        Value::AvmPlus,
    ];
    save("amf0", "every-type", &wire(&values))?;
    save("amf0", "nested-33", &[b"\x0a\0\0\0\x01".repeat(33), vec![5]].concat())?;
    save("amf0", "false-count", b"\x08\xff\xff\xff\xff\0\x01a\x05\0\0\x09")?;
    save("amf0", "array-of-2-to-the-32", b"\x0a\xff\xff\xff\xff\x05")?;
    save("amf0", "missing-end", b"\x08\0\0\0\x01\0\x01a\x05")?;
    save("amf0", "latin-1", b"\x02\0\x04caf\xe9")?;
    save("amf0", "string-past-the-end", b"\x0c\xff\xff\xff\xffab")
}

fn amf3() -> io::Result<()> {
    use millstream_amf3::{
        Array, Dictionary, Object, ObjectVector, Properties, Traits, Value, Vector, encode_all,
    };
    let named = Properties::new().with("app", "live").with("n", 1.5);
    let sealed = vec!["x".into(), "app".into()];
    let traits = Arc::new(Traits { class: "C".into(), dynamic: true, sealed });
    let of_class = || {
        let sealed = vec![(-1).into(), "live".into()];
        Object::new(traits.clone(), sealed, named.clone()).expect("it fits its traits")
    };
    let list = Value::from(vec![Value::Null, Value::Undefined, true.into(), 300_000.into()]);
    let elements = vec![list.clone(), of_class().into()];
    let entries = vec![("key".into(), list.clone()), (list.clone(), 7.into())];
    let values = [
        "live".into(),
        Value::from(named.clone()),
        Value::Array(Arc::new(Array { associative: named.clone(), dense: vec![list] })),
        of_class().into(),
        of_class().into(),
        Value::Date(1e12),
        Value::XmlDocument("<a/>".into()),
        Value::Xml("<a/>".into()),
        Value::ByteArray(Arc::from([0, 1, 2])),
        Value::VectorInt(Arc::new(Vector { fixed: true, elements: vec![1, -1] })),
        Value::VectorUint(Arc::new(Vector { fixed: false, elements: vec![1] })),
        Value::VectorDouble(Arc::new(Vector { fixed: false, elements: vec![1.5] })),
        Value::VectorObject(Arc::new(ObjectVector { fixed: false, class: "*".into(), elements })),
        Value::Dictionary(Arc::new(Dictionary { weak_keys: false, entries })),
    ];
    let mut wire = Vec::new();
    encode_all(&values, &mut wire).expect("the seeds can be written");
    save("amf3", "every-type", &wire)?;
    save("amf3", "nested-33", &[b"\x09\x03\x01".repeat(33), vec![1]].concat())?;
    save("amf3", "within-itself", b"\x09\x03\x01\x09\x00")?;
    save("amf3", "externalizable", b"\x0a\x07\x03C\x09\x01\x01")?;
    save("amf3", "array-of-2-to-the-28", b"\x09\xff\xff\xff\xff\x01\x01")?;
    save("amf3", "latin-1-as-a-name", b"\x09\x05\x01\x06\x03\xff\x0a\x0b\x01\x00\x01\x01")?;
    // Ten arrays of ten references each to the one before.
    let mut doubling = [&b"\x09\x15\x01"[..], &[1; 10]].concat();
    for index in 0..9 {
        doubling.extend([9, 21, 1]);
        doubling.extend([9, index << 1].repeat(10));
    }
    save("amf3", "ten-to-the-tenth", &doubling)
}

fn flv() -> io::Result<()> {
    let metadata = Object::new().with("width", 640.0);
    let script = wire(&["onMetaData".into(), Value::EcmaArray(metadata)]);
    let messages: [(&str, TagKind, &[u8]); 12] = [
        ("script", TagKind::Script, &script),
        ("aac-start", TagKind::Audio, &[0xaf, 0, 0x12, 0x10]),
        ("aac", TagKind::Audio, &[0xaf, 1, 0x21, 0x10]),
        ("opus", TagKind::Audio, b"\x91Opus...."),
        ("audio-tracks", TagKind::Audio, b"\x95\x21Opus\0\0\0\x02ABmp4a\x01\0\0\x01C"),
        ("h264", TagKind::Video, &[0x17, 1, 0, 0, 80, 9]),
        ("h265-legacy", TagKind::Video, &[0x1c, 0, 0, 0, 0, 1]),
        ("h265", TagKind::Video, b"\xa1hvc1\xff\xff\xff...."),
        ("video-tracks", TagKind::Video, b"\x96\x11avc1\0\0\0\x04\0\0\x01A\x01\0\0\x03\0\0\x02"),
        ("modifier", TagKind::Video, b"\x97\x02\x01\x02\x03\x01hvc1\0\0\x05...."),
        ("metadata", TagKind::Video, b"\x94hvc1\x02\0\x09colorInfo"),
        ("command", TagKind::Video, b"\xd1\x01"),
    ];
    let mut file = BytesMut::new();
    let mut writer = Writer::new();
    writer.header(Header { audio: true, video: true }, &mut file);
    for (name, kind, message) in messages {
        save("flv", name, message)?;
        writer.tag(kind, 40, message, &mut file).expect("the seeds are short");
    }
    // The target puts the first nine bytes in front, behind a choice.
    let rest = [&[7], &file[9..]].concat();
    save("flv", "file", &rest)?;
    save("flv", "file-with-gap", &[&rest[..100], &rest[110..]].concat())?;
    save("flv", "modifiers-without-end", &[&b"\x97"[..], &b"\0\0\x07".repeat(20)].concat())
}

fn media() -> io::Result<()> {
    let sps: &[u8] = &[
        0x67, 0x64, 0x00, 0x28, 0xac, 0xd9, 0x40, 0x78, 0x02, 0x27, 0xe5, 0xc0, 0x44, 0, 0, 3, 0,
        4, 0, 0, 3, 0, 0xf0, 0x3c, 0x60, 0xc6, 0x58,
    ];
    let head = [1, 0x64, 0, 0x28, 0xff, 0xe1, 0, sps.len() as u8];
    save("media", "avc-record", &[&head, sps, &[1, 0, 2, 0x68, 0xce]].concat())?;
    save("media", "sps", sps)?;
    save("media", "aac-lc", &[0x12, 0x10])?;
    save("media", "aac-no-sbr", &[0x11, 0x90, 0x56, 0xe5, 0])?;
    save("media", "aac-sbr-up-front", &[0x2b, 0x92, 0x08, 0])?;
    save("media", "aac-program", &[0x12, 0x00, 0x05, 0x08, 0x06, 0x44, 0, 0, 0x10, 0x20, 0, 0, 0])?;
    let frames = |frames: &[(u8, u32)]| -> Vec<u8> {
        let frame = |&(what, source): &(u8, u32)| [&[what][..], &source.to_be_bytes()].concat();
        frames.iter().flat_map(frame).collect()
    };
    let restart = [(1, 9_960), (0, 9_970), (1, 0), (0, 10_000), (0, 20), (1, 40)];
    save("media", "time-restart", &frames(&restart))?;
    let wrap = [(1, u32::MAX - 19), (0, u32::MAX - 9), (1, 20), (2, 0), (0x81, 7), (0, 9)];
    save("media", "time-wrap", &frames(&wrap))
}

/// Four bytes of choices, then what a peer says: all of a handshake, and the start of one.
fn handshake() -> io::Result<()> {
    for (name, choices) in [("zeros", [0, 0, 0, 0]), ("damaged", [1, 9, 3, 200])] {
        let packets = [&choices[..], &[3], &[0; 2 * 1536]].concat();
        save("handshake", name, &packets)?;
        save("handshake", &format!("{name}-cut"), &packets[..700])?;
    }
    let counted: Vec<u8> = (0..=255).cycle().take(2 * 1536).collect();
    save("handshake", "counted", &[&[9, 100, 0, 0, 3][..], &counted].concat())?;
    save("handshake", "version-6", &[2, 0, 0, 0, 6, 0, 0, 0, 0])
}

fn message(kind: MessageType, csid: u32, stream_id: u32, payload: impl Into<Bytes>) -> Message {
    Message { chunk_stream_id: csid, timestamp: 40, kind, stream_id, payload: payload.into() }
}

/// A seed of messages, behind the choices that its target begins with: how the input is cut, and
/// for two of them the chunk size of the writers or how requests are answered.
fn save_messages(target: &str, name: &str, messages: &[Message]) -> io::Result<()> {
    let mut writer = ChunkWriter::new(128);
    let choices: &[u8] = if target == "client_session" { &[4] } else { &[4, 0] };
    let mut wire = BytesMut::from(choices);
    for message in messages {
        writer.write(message, &mut wire);
        if let Ok(Some(Control::SetChunkSize(size))) = Control::decode(message) {
            writer.set_chunk_size(size);
        }
    }
    save(target, name, &wire)
}

fn chunk() -> io::Result<()> {
    let media = |csid, length| message(MessageType::VIDEO, csid, 1, vec![0x27; length]);
    save_messages("chunk", "plain", &[media(6, 10), media(6, 10), media(6, 300), media(64, 5)])?;
    let mut late = media(4, 200);
    late.timestamp = 0x0100_0000;
    save_messages("chunk", "extended-time", &[late.clone(), late])?;
    let size = Control::SetChunkSize(4096).encode();
    save_messages(
        "chunk",
        "chunk-size",
        &[media(6, 300), size, media(6, 1000), media(70_000 % 65_536, 1)],
    )?;
    let controls = [
        Control::Abort { chunk_stream_id: 6 },
        Control::Acknowledgement(5),
        Control::WindowAckSize(2_500_000),
        Control::User(UserControl::PingRequest(7)),
        Control::User(UserControl::SetBufferLength { stream_id: 1, ms: 3000 }),
    ];
    save_messages("chunk", "controls", &controls.map(|control| control.encode()))?;
    let aggregate =
        b"\x09\0\0\x02\0\0\x28\0\0\0\0AB\0\0\0\x0d\x08\0\0\x01\0\0\x29\0\0\0\0C\0\0\0\x0c";
    save_messages("chunk", "aggregate", &[message(MessageType::AGGREGATE, 5, 1, &aggregate[..])])
}

fn sessions() -> io::Result<()> {
    let command = |stream_id, values: &[Value]| {
        message(MessageType::COMMAND_AMF0, 3, stream_id, wire(values).freeze())
    };
    let app = Object::new().with("app", "live").with("tcUrl", "rtmp://localhost/live");
    let connect = command(0, &["connect".into(), 1.0.into(), app.into()]);
    let create = command(0, &["createStream".into(), 2.0.into(), Value::Null]);
    let publish = ["publish".into(), 3.0.into(), Value::Null, "a?key=b".into(), "live".into()];
    let play = ["play".into(), 3.0.into(), Value::Null, "a".into(), (-2000.0).into()];
    let set =
        ["@setDataFrame".into(), "onMetaData".into(), Object::new().with("width", 1.0).into()];
    let delete = ["deleteStream".into(), 0.0.into(), Value::Null, 1.0.into()];
    let publisher = [
        connect.clone(),
        create.clone(),
        command(1, &publish),
        message(MessageType::DATA_AMF0, 4, 1, wire(&set).freeze()),
        message(MessageType::VIDEO, 6, 1, &[0x17, 1, 0, 0, 0][..]),
        message(MessageType::AUDIO, 4, 1, &[0xaf, 1, 0][..]),
        command(0, &delete),
    ];
    save_messages("server_session", "publisher", &publisher)?;
    let pause = ["pause".into(), 0.0.into(), Value::Null, true.into(), 40.0.into()];
    let buffer = Control::User(UserControl::SetBufferLength { stream_id: 1, ms: 3000 }).encode();
    let player = [connect.clone(), create.clone(), command(1, &play), buffer, command(1, &pause)];
    save_messages("server_session", "player", &player)?;
    // A Flash player's commands and data: a zero byte, then AMF0 with values behind switches.
    let switched = |kind, values: &[Value], amf3: &[u8]| {
        let payload = [b"\0", &wire(values)[..], amf3].concat();
        message(kind, 3, 1, payload)
    };
    let name = b"\x11\x01\x11\x06\x09live\x11\x06\x00";
    let metadata =
        b"\x11\x09\x01\x0bwidth\x04\x8a\x00\x01\x11\x0a\x0b\x01\x00\x05\x3f\xf0\0\0\0\0\0\0\x01";
    let flash = [
        connect.clone(),
        create.clone(),
        switched(MessageType::COMMAND_AMF3, &publish[..2], name),
        switched(MessageType::DATA_AMF3, &set[..2], metadata),
    ];
    save_messages("server_session", "amf3", &flash)?;
    let early = [create, command(1, &publish), connect.clone(), connect];
    save_messages("server_session", "out-of-order", &early)?;

    let info = |level: &str, code: &str| -> Value {
        Object::new().with("level", level).with("code", code).with("description", "").into()
    };
    let connected = info("status", "NetConnection.Connect.Success");
    let connected = command(0, &["_result".into(), 1.0.into(), Value::Null, connected]);
    let created = |transaction: f64, stream: f64| {
        command(0, &["_result".into(), transaction.into(), Value::Null, stream.into()])
    };
    let status = |stream_id, code| {
        let values = ["onStatus".into(), 0.0.into(), Value::Null, info("status", code)];
        command(stream_id, &values)
    };
    let answers = [
        Control::WindowAckSize(1000).encode(),
        connected.clone(),
        created(2.0, 1.0),
        created(3.0, 2.0),
        created(4.0, 1.0),
        created(5.0, 2.0),
        Control::User(UserControl::StreamBegin(1)).encode(),
        status(1, "NetStream.Publish.Start"),
        status(2, "NetStream.Play.Start"),
        message(MessageType::VIDEO, 6, 2, &[0x17, 1, 0, 0, 0][..]),
        message(MessageType::DATA_AMF0, 4, 2, wire(&set[1..]).freeze()),
        Control::User(UserControl::StreamEof(2)).encode(),
    ];
    save_messages("client_session", "answers", &answers)?;
    let refusal = info("error", "NetConnection.Connect.Rejected");
    let refusal = command(0, &["_error".into(), 1.0.into(), Value::Null, refusal]);
    save_messages("client_session", "refused", &[refusal])?;
    let ping = Control::User(UserControl::PingRequest(7)).encode();
    save_messages("client_session", "ping", &[connected, ping])
}
