//! What encoders and players say, in their order, and what they are answered.
//!
//! The orders are those of the products' own sources where these are public (OBS, ffmpeg, librtmp,
//! GStreamer). Of Larix, vMix and Flash they are what is publicly told of them, to be replaced by
//! captures.

use crate::common::{Peer, command, data, media, user};
use millstream_amf0::{Object, Value};
use millstream_rtmp::control::UserControl;
use millstream_rtmp::message::{Message, MessageType};
use millstream_rtmp::server::{Connect, EndReason, PlayFrom, ServerEvent, ServerOptions};
use millstream_rtmp::session::{DataFrame, PublishMode};

const NULL: Value = Value::Null;

fn object(properties: &[(&str, Value)]) -> Value {
    properties.iter().map(|(name, value)| (*name, value.clone())).collect::<Object>().into()
}

/// Sends `connect` and accepts it.
fn connect(peer: &mut Peer, properties: &[(&str, Value)]) -> Box<Connect> {
    let Some(ServerEvent::Connect(connect)) = peer.call(0, "connect", 1.0, [object(properties)])
    else {
        panic!("connect is reported");
    };
    peer.session.accept_connect(connect.request).unwrap();
    assert_eq!(
        peer.answers(),
        [
            "WindowAckSize(5000000)",
            "SetPeerBandwidth { size: 5000000, limit: Dynamic }",
            "SetChunkSize(1048576)",
            "0 _result 1 NetConnection.Connect.Success",
        ]
    );
    connect
}

fn publish(peer: &mut Peer, stream_id: u32, transaction: f64, name: &str) {
    let arguments = [NULL, name.into(), "live".into()];
    let Some(ServerEvent::Publish(publish)) =
        peer.call(stream_id, "publish", transaction, arguments)
    else {
        panic!("publish is reported");
    };
    assert_eq!((publish.stream_id, publish.mode), (stream_id, PublishMode::Live));
    peer.session.accept_publish(publish.request).unwrap();
    assert_eq!(
        peer.answers(),
        [
            format!("StreamBegin({stream_id})"),
            format!("{stream_id} onStatus 0 NetStream.Publish.Start"),
        ]
    );
}

fn assert_relayed(peer: &mut Peer, message: Message) {
    assert_eq!(peer.send(message.clone()).unwrap(), Some(ServerEvent::Media(message)));
}

#[test]
fn obs_studio_publishes() {
    let mut peer = Peer::new();
    let connect = connect(
        &mut peer,
        &[
            ("app", "live".into()),
            ("type", "nonprivate".into()),
            ("flashVer", "FMLE/3.0 (compatible; FMSc/1.0)".into()),
            ("swfUrl", "rtmp://host:1935/live".into()),
            ("tcUrl", "rtmp://host:1935/live".into()),
        ],
    );
    assert_eq!((connect.app.as_str(), &connect.app_query), ("live", &None));
    assert_eq!(connect.flash_ver, "FMLE/3.0 (compatible; FMSc/1.0)");
    // All three are sent without waiting.
    assert_eq!(peer.call(0, "releaseStream", 2.0, [NULL, "key?a=b".into()]), None);
    assert_eq!(peer.call(0, "FCPublish", 3.0, [NULL, "key?a=b".into()]), None);
    assert_eq!(peer.call(0, "createStream", 4.0, [NULL]), None);
    assert_eq!(
        peer.answers(),
        [
            "0 _result 2 Undefined",
            "0 _result 3 Undefined",
            "0 onFCPublish 0 NetStream.Publish.Start",
            "0 _result 4 1",
        ]
    );
    publish(&mut peer, 1, 5.0, "key?a=b");
    let metadata = data(1, &["@setDataFrame".into(), "onMetaData".into(), object(&[])]);
    let Some(ServerEvent::Data(data)) = peer.send(metadata).unwrap() else {
        panic!("metadata is reported");
    };
    assert_eq!((data.name.as_str(), data.frame), ("onMetaData", DataFrame::Set));
    assert_relayed(&mut peer, media(MessageType::AUDIO, 1, 0, b"\xaf\x00\x12\x10"));
    assert_relayed(&mut peer, media(MessageType::VIDEO, 1, 0, b"\x17\x00\x00\x00\x00"));
    let ended = ServerEvent::Unpublish { stream_id: 1, reason: EndReason::FcUnpublish };
    assert_eq!(peer.call(0, "FCUnpublish", 6.0, [NULL, "key?a=b".into()]), Some(ended));
    assert_eq!(peer.call(0, "deleteStream", 7.0, [NULL, 1.0.into()]), None);
    assert_eq!(
        peer.answers(),
        [
            "0 _result 6 Undefined",
            "0 onFCUnpublish 0 NetStream.Unpublish.Success",
            "1 onStatus 0 NetStream.Unpublish.Success",
        ]
    );
}

/// OBS opens one message stream per key; all `createStream` are under way at once.
#[test]
fn obs_studio_publishes_several_keys() {
    let mut peer = Peer::connected();
    for name in ["releaseStream", "FCPublish"] {
        peer.call(0, name, 0.0, [NULL, "a".into()]);
        peer.call(0, name, 0.0, [NULL, "b".into()]);
    }
    peer.answers();
    peer.call(0, "createStream", 6.0, [NULL]);
    peer.call(0, "createStream", 7.0, [NULL]);
    assert_eq!(peer.answers(), ["0 _result 6 1", "0 _result 7 2"]);
    publish(&mut peer, 1, 8.0, "a");
    publish(&mut peer, 2, 9.0, "b");
    for stream_id in [2, 1] {
        assert_relayed(&mut peer, media(MessageType::VIDEO, stream_id, 0, b"\x17\x00"));
    }
    let ended = ServerEvent::Unpublish { stream_id: 2, reason: EndReason::DeleteStream };
    assert_eq!(peer.call(0, "deleteStream", 10.0, [NULL, 2.0.into()]), Some(ended));
    assert_relayed(&mut peer, media(MessageType::VIDEO, 1, 40, b"\x27\x01"));
}

#[test]
fn obs_studio_announces_enhanced_codecs() {
    let mut peer = Peer::new();
    let flags = |codecs: &[&str]| {
        let entries: Vec<_> = codecs.iter().map(|codec| (*codec, 3.0.into())).collect();
        object(&entries)
    };
    let connect = connect(
        &mut peer,
        &[
            ("app", "live".into()),
            ("tcUrl", "rtmp://host/live".into()),
            ("fourCcList", Value::StrictArray(vec!["av01".into(), "hvc1".into(), NULL])),
            ("videoFourCcInfoMap", flags(&["av01", "*"])),
            ("audioFourCcInfoMap", flags(&["Opus"])),
            ("capsEx", 3.0.into()),
        ],
    );
    assert_eq!(connect.four_cc_list, ["av01", "hvc1"]);
    assert_eq!(connect.video_four_cc, [("av01".to_owned(), 3), ("*".to_owned(), 3)]);
    assert_eq!(connect.audio_four_cc, [("Opus".to_owned(), 3)]);
    assert_eq!(connect.caps_ex, 3);
}

#[test]
fn ffmpeg_publishes() {
    let mut peer = Peer::new();
    let connect = connect(
        &mut peer,
        &[
            ("app", "live".into()),
            ("type", "nonprivate".into()),
            ("flashVer", "FMLE/3.0 (compatible; Lavf60.16.100)".into()),
            ("tcUrl", "rtmp://host:1935/live".into()),
        ],
    );
    assert_eq!(connect.app, "live");
    peer.call(0, "releaseStream", 2.0, [NULL, "cam".into()]);
    peer.call(0, "FCPublish", 3.0, [NULL, "cam".into()]);
    peer.call(0, "createStream", 4.0, [NULL]);
    let answers = peer.answers();
    assert_eq!(answers.last().unwrap(), "0 _result 4 1");
    assert!(answers.iter().all(|answer| !answer.contains("_error")), "ffmpeg gives up at _error");
    publish(&mut peer, 1, 5.0, "cam");
    peer.call(0, "FCUnpublish", 6.0, [NULL, "cam".into()]);
    assert_eq!(peer.call(0, "deleteStream", 7.0, [NULL, 1.0.into()]), None);
}

#[test]
fn ffmpeg_plays() {
    let mut peer = Peer::new();
    connect(
        &mut peer,
        &[
            ("app", "live".into()),
            ("flashVer", "LNX 9,0,124,2".into()),
            ("tcUrl", "rtmp://host:1935/live".into()),
            ("fpad", false.into()),
            ("capabilities", 15.0.into()),
            ("audioCodecs", 4071.0.into()),
            ("videoCodecs", 252.0.into()),
            ("videoFunction", 1.0.into()),
        ],
    );
    peer.call(0, "createStream", 2.0, [NULL]);
    peer.call(0, "getStreamLength", 3.0, [NULL, "cam".into()]);
    assert_eq!(peer.answers(), ["0 _result 2 1", "0 _result 3 0"]);
    let Some(ServerEvent::Play(play)) =
        peer.call(1, "play", 4.0, [NULL, "cam".into(), (-2000.0).into()])
    else {
        panic!("play is reported");
    };
    assert_eq!((play.from(), play.reset), (PlayFrom::LiveOrRecorded, true));
    let buffer = peer.send(user(UserControl::SetBufferLength { stream_id: 1, ms: 3000 }));
    assert_eq!(buffer.unwrap(), Some(ServerEvent::BufferLength { stream_id: 1, ms: 3000 }));
    peer.session.accept_play(play.request).unwrap();
    assert_eq!(peer.answers(), PLAY_ANSWERS);
    let stopped = ServerEvent::StopPlay { stream_id: 1, reason: EndReason::DeleteStream };
    assert_eq!(peer.call(0, "deleteStream", 5.0, [NULL, 1.0.into()]), Some(stopped));
}

const PLAY_ANSWERS: [&str; 3] =
    ["StreamBegin(1)", "1 onStatus 0 NetStream.Play.Reset", "1 onStatus 0 NetStream.Play.Start"];

/// Flash Media Server, nginx-rtmp and SRS let scripts at the samples; so can we.
#[test]
fn flash_player_wants_sample_access() {
    let mut peer = Peer::with(&ServerOptions { flash_data: true, ..ServerOptions::default() });
    connect(&mut peer, &[("app", "live".into())]);
    let Some(ServerEvent::Play(play)) = peer.call(1, "play", 0.0, [NULL, "cam".into()]) else {
        panic!("play is reported");
    };
    peer.session.accept_play(play.request).unwrap();
    let answers = peer.answers();
    assert_eq!(answers[..3], PLAY_ANSWERS);
    assert_eq!(answers[3..], ["1 data |RtmpSampleAccess", "1 data onStatus NetStream.Data.Start"]);
}

/// ffmpeg and librtmp answer `onBWDone` with `_checkbw` and take its `_result`, or nothing.
#[test]
fn ffmpeg_checks_bandwidth() {
    let mut peer = Peer::connected();
    peer.call(0, "_checkbw", 4.0, [NULL]);
    assert_eq!(peer.answers(), ["0 _result 4 Undefined"]);
}

/// rtmpdump, and GStreamer's rtmpsrc: windows, two buffer lengths, start in milliseconds.
#[test]
fn librtmp_plays_live() {
    let mut peer = Peer::connected();
    assert_eq!(
        peer.send(user(UserControl::SetBufferLength { stream_id: 0, ms: 300 })).unwrap(),
        Some(ServerEvent::BufferLength { stream_id: 0, ms: 300 })
    );
    peer.call(0, "createStream", 2.0, [NULL]);
    peer.call(0, "FCSubscribe", 3.0, [NULL, "cam".into()]);
    assert_eq!(peer.answers(), ["0 _result 2 1", "0 onFCSubscribe 0 NetStream.Play.Start"]);
    let arguments = [NULL, "cam".into(), (-1000.0).into()];
    let Some(ServerEvent::Play(play)) = peer.call(1, "play", 4.0, arguments) else {
        panic!("play is reported");
    };
    assert_eq!(play.from(), PlayFrom::Live);
    peer.session.accept_play(play.request).unwrap();
    assert_eq!(peer.answers(), PLAY_ANSWERS);
    // Its watchdog pauses and resumes when nothing comes.
    let pause = |paused| ServerEvent::Pause { stream_id: 1, paused, ms: 1234.0 };
    for on in [true, false] {
        let arguments = [NULL, on.into(), 1234.0.into()];
        assert_eq!(peer.call(1, "pause", 5.0, arguments), Some(pause(on)));
    }
}

/// GStreamer's rtmpsink is librtmp: the name may be repeated with the app in tcUrl.
#[test]
fn gstreamer_rtmpsink_publishes() {
    let mut peer = Peer::new();
    let connect = connect(
        &mut peer,
        &[
            ("app", "live/".into()),
            ("type", "nonprivate".into()),
            ("tcUrl", "rtmp://host/live/".into()),
        ],
    );
    assert_eq!(connect.app, "live");
    peer.call(0, "releaseStream", 2.0, [NULL, "cam".into()]);
    peer.call(0, "FCPublish", 3.0, [NULL, "cam".into()]);
    peer.call(0, "createStream", 4.0, [NULL]);
    peer.answers();
    publish(&mut peer, 1, 5.0, "cam");
}

/// GStreamer's rtmp2sink sends transaction id 0 where it waits for no answer, and must get none.
#[test]
fn gstreamer_rtmp2sink_publishes() {
    let mut peer = Peer::connected();
    peer.call(0, "releaseStream", 0.0, [NULL, "cam".into()]);
    peer.call(0, "FCPublish", 0.0, [NULL, "cam".into()]);
    peer.call(0, "createStream", 2.0, [NULL]);
    assert_eq!(peer.answers(), ["0 onFCPublish 0 NetStream.Publish.Start", "0 _result 2 1"]);
    publish(&mut peer, 1, 0.0, "cam");
    peer.call(0, "FCUnpublish", 0.0, [NULL, "cam".into()]);
    peer.call(0, "deleteStream", 0.0, [NULL, 1.0.into()]);
}

/// GStreamer's rtmp2src takes the first `onStatus` on its message stream for the answer.
#[test]
fn gstreamer_rtmp2src_plays() {
    let mut peer = Peer::connected();
    peer.send(user(UserControl::SetBufferLength { stream_id: 0, ms: 300 })).unwrap();
    peer.call(0, "createStream", 2.0, [NULL]);
    assert_eq!(peer.answers(), ["0 _result 2 1"]);
    let arguments = [NULL, "cam".into(), (-2.0).into()];
    let Some(ServerEvent::Play(play)) = peer.call(1, "play", 0.0, arguments) else {
        panic!("play is reported");
    };
    peer.session.accept_play(play.request).unwrap();
    let answers = peer.answers();
    let first = answers.iter().find(|answer| answer.contains("onStatus 0")).unwrap();
    assert_eq!(first, "1 onStatus 0 NetStream.Play.Reset");
}

/// Larix puts the credentials behind the app and follows redirects.
#[test]
fn larix_broadcaster_publishes() {
    let mut peer = Peer::new();
    let connect = connect(
        &mut peer,
        &[
            ("app", "live?user=u&pass=p".into()),
            ("flashVer", "FMLE/3.0 (compatible; Larix Broadcaster)".into()),
            ("tcUrl", "rtmp://host:1935/live?user=u&pass=p".into()),
        ],
    );
    assert_eq!(connect.app, "live");
    assert_eq!(connect.app_query.as_deref(), Some("user=u&pass=p"));
    peer.call(0, "releaseStream", 2.0, [NULL, "cam".into()]);
    peer.call(0, "FCPublish", 3.0, [NULL, "cam".into()]);
    peer.call(0, "createStream", 4.0, [NULL]);
    peer.answers();
    publish(&mut peer, 1, 5.0, "cam");
    let closed = ServerEvent::Unpublish { stream_id: 1, reason: EndReason::CloseStream };
    assert_eq!(peer.call(1, "closeStream", 0.0, [NULL]), Some(closed));
}

/// vMix sends the whole of FMLE's dialogue and its metadata without `@setDataFrame` too.
#[test]
fn vmix_publishes() {
    let mut peer = Peer::connected();
    peer.call(0, "releaseStream", 2.0, [NULL, "cam".into()]);
    peer.call(0, "FCPublish", 3.0, [NULL, "cam".into()]);
    assert!(peer.answers().contains(&"0 onFCPublish 0 NetStream.Publish.Start".to_owned()));
    peer.call(0, "createStream", 4.0, [NULL]);
    peer.answers();
    publish(&mut peer, 1, 5.0, "cam");
    let metadata = data(1, &["onMetaData".into(), object(&[("width", 1920.0.into())])]);
    let payload = metadata.payload.clone();
    let Some(ServerEvent::Data(data)) = peer.send(metadata).unwrap() else {
        panic!("metadata is reported");
    };
    assert_eq!(
        (data.name.as_str(), data.frame, data.payload),
        ("onMetaData", DataFrame::Pass, payload)
    );
}

/// A Flash player with object encoding 3: commands in the AMF3 envelope, then pause, seek, switch.
#[test]
fn flash_player_plays() {
    let amf3 = |message: Message| {
        let mut payload = vec![0];
        payload.extend_from_slice(&message.payload);
        Message { kind: MessageType::COMMAND_AMF3, payload: payload.into(), ..message }
    };
    let mut peer = Peer::new();
    let connect = connect(
        &mut peer,
        &[
            ("app", "live".into()),
            ("flashVer", "WIN 32,0,0,465".into()),
            ("swfUrl", "http://host/player.swf".into()),
            ("tcUrl", "rtmp://host/live".into()),
            ("pageUrl", "http://host/".into()),
            ("objectEncoding", 3.0.into()),
        ],
    );
    assert_eq!(connect.object_encoding, 3.0);
    assert_eq!(peer.send(amf3(command(0, "createStream", 2.0, [NULL]))).unwrap(), None);
    assert_eq!(peer.answers(), ["0 _result 2 1"]);
    let play = amf3(command(1, "play", 0.0, [NULL, "cam".into(), (-1.0).into()]));
    let Some(ServerEvent::Play(play)) = peer.send(play).unwrap() else {
        panic!("play is reported");
    };
    assert_eq!(play.from(), PlayFrom::Live);
    peer.session.accept_play(play.request).unwrap();
    assert_eq!(peer.answers(), PLAY_ANSWERS);
    // The same in AMF3 behind switches, as remoting libraries write: null, "cam3", -1.
    let mut switched = command(1, "play", 0.0, []);
    let values = b"\x11\x01\x11\x06\x09cam3\x11\x04\xff\xff\xff\xff";
    switched.payload = [&switched.payload[..], values].concat().into();
    peer.session.receive(amf3(switched)).unwrap();
    assert!(matches!(peer.session.next_event(), Some(ServerEvent::StopPlay { .. })));
    let Some(ServerEvent::Play(play)) = peer.session.next_event() else {
        panic!("play is reported");
    };
    assert_eq!((play.name.as_str(), play.from()), ("cam3", PlayFrom::Live));
    peer.session.accept_play(play.request).unwrap();
    peer.answers();
    let on = |on: bool| [NULL, on.into()];
    let audio = ServerEvent::ReceiveAudio { stream_id: 1, on: false };
    assert_eq!(peer.call(1, "receiveAudio", 0.0, on(false)), Some(audio));
    let video = ServerEvent::ReceiveVideo { stream_id: 1, on: true };
    assert_eq!(peer.call(1, "receiveVideo", 0.0, on(true)), Some(video));
    let pause = ServerEvent::Pause { stream_id: 1, paused: true, ms: 10.0 };
    assert_eq!(peer.call(1, "pauseRaw", 0.0, [NULL, true.into(), 10.0.into()]), Some(pause));
    let seek = ServerEvent::Seek { stream_id: 1, ms: 2000.0 };
    assert_eq!(peer.call(1, "seek", 0.0, [NULL, 2000.0.into()]), Some(seek));
    // play(false) stops; the stream can play again.
    let stopped = ServerEvent::StopPlay { stream_id: 1, reason: EndReason::CloseStream };
    assert_eq!(peer.call(1, "play", 0.0, on(false)), Some(stopped));
    peer.answers();
    assert!(matches!(peer.call(1, "play", 0.0, [NULL, "cam2".into()]), Some(ServerEvent::Play(_))));
    assert_eq!(peer.call(1, "play2", 0.0, [NULL, object(&[])]), None);
    assert_eq!(peer.answers(), ["1 onStatus 0 NetStream.Play.Failed"]);
}

/// What a Flash publisher sends with `NetStream.send`: metadata, its values in AMF3.
#[test]
fn flash_publisher_sends_data() {
    let mut peer = Peer::publishing();
    let metadata = data(1, &["onMetaData".into(), object(&[("width", 1920.0.into())])]);
    let Some(ServerEvent::Data(expected)) = peer.send(metadata.clone()).unwrap() else {
        panic!("metadata is reported");
    };
    // The zero byte, the name in AMF0, an anonymous object with an integer of 29 bits.
    let payload = b"\0\x02\0\x0aonMetaData\x11\x0a\x0b\x01\x0bwidth\x04\x8f\x00\x01";
    let switched =
        Message { kind: MessageType::DATA_AMF3, payload: payload[..].into(), ..metadata };
    assert_eq!(peer.send(switched).unwrap(), Some(ServerEvent::Data(expected)));
}

/// Another `play` on a message stream that plays switches it over.
#[test]
fn flash_player_switches_streams() {
    let mut peer = Peer::playing();
    let next =
        command(1, "play", 0.0, [NULL, "b".into(), (-2.0).into(), (-1.0).into(), 0.0.into()]);
    peer.session.receive(next).unwrap();
    let stopped = ServerEvent::StopPlay { stream_id: 1, reason: EndReason::Replaced };
    assert_eq!(peer.session.next_event(), Some(stopped));
    let Some(ServerEvent::Play(play)) = peer.session.next_event() else {
        panic!("play is reported");
    };
    assert!(!play.reset);
    peer.session.accept_play(play.request).unwrap();
    assert_eq!(peer.answers()[1], "1 onStatus 0 NetStream.Play.Start");
}

/// Flash's NetConnection.call of checkBandwidth waits for onBWDone.
#[test]
fn flash_player_checks_bandwidth() {
    let mut peer = Peer::connected();
    peer.call(0, "checkBandwidth", 2.0, [NULL]);
    assert_eq!(peer.answers(), ["0 _result 2 Undefined", "0 onBWDone 0 Null"]);
}

/// srs-bench, and others written from the specification: no `app`, only `tcUrl`.
#[test]
fn srs_bench_connects_without_app() {
    let mut peer = Peer::new();
    let connect = connect(&mut peer, &[("tcUrl", "rtmp://host:1935/live?vhost=v".into())]);
    assert_eq!(connect.app, "live");
    assert_eq!(connect.app_query.as_deref(), Some("vhost=v"));
}

/// Small cameras send everything at once and never look at an answer.
#[test]
fn camera_publishes_without_waiting() {
    let mut peer = Peer::new();
    let sent = [
        command(0, "connect", 1.0, [object(&[("app", "live".into())])]),
        command(0, "createStream", 2.0, [NULL]),
        command(1, "publish", 3.0, [NULL, "cam".into()]),
        media(MessageType::VIDEO, 1, 0, b"\x17\x00"),
        media(MessageType::AUDIO, 1, 0, b"\xaf\x00"),
    ];
    for message in &sent {
        peer.session.receive(message.clone()).unwrap();
    }
    let Some(ServerEvent::Connect(connect)) = peer.session.next_event() else {
        panic!("connect is reported");
    };
    assert_eq!(peer.session.next_event(), None, "the rest waits for the answer");
    peer.session.accept_connect(connect.request).unwrap();
    let Some(ServerEvent::Publish(publish)) = peer.session.next_event() else {
        panic!("publish is reported");
    };
    assert_eq!(publish.mode, PublishMode::Live);
    assert_eq!(peer.session.next_event(), None, "media waits for the answer");
    peer.session.accept_publish(publish.request).unwrap();
    assert_eq!(peer.session.next_event(), Some(ServerEvent::Media(sent[3].clone())));
    assert_eq!(peer.session.next_event(), Some(ServerEvent::Media(sent[4].clone())));
}

/// Types of publishing other than live, one that nobody knows, and an end without the query.
#[test]
fn recorders_publish() {
    let types = [
        ("record", PublishMode::Record),
        ("append", PublishMode::Append),
        ("appendWithGap", PublishMode::Append),
        ("live/cam", PublishMode::Live),
    ];
    for (sent, mode) in types {
        let mut peer = Peer::connected();
        let arguments = [NULL, "cam?key=1".into(), sent.into()];
        let Some(ServerEvent::Publish(publish)) = peer.call(1, "publish", 0.0, arguments) else {
            panic!("publish is reported");
        };
        assert_eq!((publish.name.as_str(), publish.mode), ("cam", mode));
        let ended = ServerEvent::Unpublish { stream_id: 1, reason: EndReason::FcUnpublish };
        assert_eq!(peer.call(0, "FCUnpublish", 0.0, [NULL, "other".into()]), None);
        assert_eq!(peer.call(0, "FCUnpublish", 0.0, [NULL, NULL]), None);
        assert_eq!(peer.call(0, "FCUnpublish", 0.0, [NULL, "cam".into()]), Some(ended));
    }
}

/// What the session does not know is handed up and not answered.
#[test]
fn flash_player_calls_procedures() {
    let mut peer = Peer::connected();
    let arguments = [NULL, "x".into()];
    let Some(ServerEvent::UnknownCommand(call)) = peer.call(0, "addUser", 5.0, arguments) else {
        panic!("the call is reported");
    };
    assert_eq!((call.name.as_str(), call.transaction, call.arguments.len()), ("addUser", 5.0, 2));
    assert_eq!(peer.answers(), [""; 0]);
    peer.session.send_command(0, "_result", call.transaction, vec![true.into()]).unwrap();
    assert_eq!(peer.answers(), ["0 _result 5 Boolean(true)"]);
}

/// Aggregates, as Flash Media Server relays them to publishers of its own kind.
#[test]
fn flash_media_server_sends_aggregates() {
    let mut peer = Peer::publishing();
    let mut payload = Vec::new();
    for (kind, time) in [(8_u8, 10_u8), (9, 20)] {
        payload.extend([kind, 0, 0, 2, 0, 0, time, 0, 0, 0, 0, 0xaf, 1, 0, 0, 0, 13]);
    }
    let mut aggregate = media(MessageType::AGGREGATE, 1, 1_000, &payload);
    aggregate.chunk_stream_id = 6;
    peer.session.receive(aggregate).unwrap();
    let parts: Vec<_> = std::iter::from_fn(|| peer.session.next_event()).collect();
    let [ServerEvent::Media(audio), ServerEvent::Media(video)] = &parts[..] else {
        panic!("{parts:?}");
    };
    assert_eq!((audio.kind, audio.timestamp), (MessageType::AUDIO, 1_000));
    assert_eq!((video.kind, video.timestamp), (MessageType::VIDEO, 1_010));
    assert_eq!(&video.payload[..], [0xaf, 1]);
}

/// Some encoders publish on message stream 0, or leave it 0 in their media.
#[test]
fn camera_uses_message_stream_0() {
    let mut peer = Peer::connected();
    publish(&mut peer, 0, 2.0, "cam");
    assert_relayed(&mut peer, media(MessageType::VIDEO, 0, 0, b"\x17\x00"));
    let Some(ServerEvent::Media(video)) =
        peer.send(media(MessageType::VIDEO, 1, 0, b"\x17\x01")).unwrap()
    else {
        panic!("media is reported");
    };
    assert_eq!(video.stream_id, 0);
    let mut peer = Peer::publishing();
    let Some(ServerEvent::Media(video)) =
        peer.send(media(MessageType::VIDEO, 0, 0, b"\x17\x01")).unwrap()
    else {
        panic!("media is reported");
    };
    assert_eq!(video.stream_id, 1);
}
