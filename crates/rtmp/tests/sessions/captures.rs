//! What real programs sent, from their first byte on, to a server that accepts everything. Each
//! file is named by product and version and was captured on the loopback interface; the media is a
//! test picture of 64 by 64 pixels.

use crate::common_bytes::Cut;
use millstream_rtmp::connection::ServerConnection;
use millstream_rtmp::server::{ServerEvent, ServerOptions};
use proptest::prelude::*;

struct Capture {
    name: &'static str,
    bytes: &'static [u8],
    events: &'static [&'static str],
}

const CAPTURES: [Capture; 7] = [
    Capture {
        name: "ffmpeg 5.1 publishes",
        bytes: include_bytes!("captures/ffmpeg-5.1-publish.bin"),
        events: &[
            "connect live FMLE/3.0 (compatible; Lavf59.27.100)",
            "publish cam key=1",
            "data Set onMetaData",
            "58 media",
            "Unpublish { stream_id: 1, reason: FcUnpublish }",
        ],
    },
    Capture {
        name: "GStreamer 1.22 publishes with rtmp2sink",
        bytes: include_bytes!("captures/gstreamer-1.22-rtmp2sink.bin"),
        events: &[
            "connect live LNX 10,0,32,18",
            "publish cam ",
            "data Set onMetaData",
            "10 media",
            "data Set onMetaData",
            "2 media",
            "Unpublish { stream_id: 1, reason: FcUnpublish }",
        ],
    },
    Capture {
        name: "GStreamer 1.22 publishes with rtmpsink",
        bytes: include_bytes!("captures/gstreamer-1.22-rtmpsink.bin"),
        events: &[
            "connect live ",
            "publish cam ",
            "data Set onMetaData",
            "10 media",
            "data Set onMetaData",
            "2 media",
            "Unpublish { stream_id: 1, reason: FcUnpublish }",
        ],
    },
    Capture {
        name: "ffmpeg 5.1 plays",
        bytes: include_bytes!("captures/ffmpeg-5.1-play.bin"),
        events: &[
            "connect live LNX 9,0,124,2",
            "play cam -2000",
            "BufferLength { stream_id: 1, ms: 3000 }",
            "StopPlay { stream_id: 1, reason: DeleteStream }",
        ],
    },
    Capture {
        name: "rtmpdump 2.4 plays live",
        bytes: include_bytes!("captures/rtmpdump-2.4-play.bin"),
        events: &[
            "connect live LNX 10,0,32,18",
            "BufferLength { stream_id: 0, ms: 300 }",
            "play cam -1000",
            "BufferLength { stream_id: 1, ms: 36000000 }",
            "StopPlay { stream_id: 1, reason: DeleteStream }",
        ],
    },
    Capture {
        name: "GStreamer 1.22 plays with rtmp2src",
        bytes: include_bytes!("captures/gstreamer-1.22-rtmp2src.bin"),
        events: &[
            "connect live LNX 10,0,32,18",
            "BufferLength { stream_id: 0, ms: 300 }",
            "play cam -2",
            "BufferLength { stream_id: 1, ms: 30000 }",
        ],
    },
    Capture {
        name: "GStreamer 1.22 plays with rtmpsrc",
        bytes: include_bytes!("captures/gstreamer-1.22-rtmpsrc.bin"),
        events: &[
            "connect live ",
            "BufferLength { stream_id: 0, ms: 300 }",
            "play cam -1000",
            "BufferLength { stream_id: 1, ms: 30000 }",
        ],
    },
];

/// The events, one line each, a run of media in one.
fn replay(bytes: &[u8], cut: &Cut) -> Vec<String> {
    let mut connection = ServerConnection::new(&ServerOptions::default(), [1; 32]);
    let mut lines: Vec<String> = Vec::new();
    let mut media = 0;
    for mut piece in cut.pieces(bytes) {
        while let Some(event) = connection.receive(&mut piece).expect("real programs are taken") {
            if let ServerEvent::Media(_) = event {
                media += 1;
                continue;
            }
            if media > 0 {
                lines.push(format!("{media} media"));
                media = 0;
            }
            lines.push(match event {
                ServerEvent::Connect(connect) => {
                    connection.accept_connect(connect.request).expect("it is open");
                    format!("connect {} {}", connect.app, connect.flash_ver)
                }
                ServerEvent::Publish(publish) => {
                    connection.accept_publish(publish.request).expect("it is open");
                    format!("publish {} {}", publish.name, publish.query.unwrap_or_default())
                }
                ServerEvent::Play(play) => {
                    connection.accept_play(play.request).expect("it is open");
                    format!("play {} {}", play.name, play.start)
                }
                ServerEvent::Data(data) => format!("data {:?} {}", data.frame, data.name),
                other => format!("{other:?}"),
            });
        }
        connection.output().clear();
    }
    if media > 0 {
        lines.push(format!("{media} media"));
    }
    lines
}

#[test]
fn whole_and_byte_by_byte() {
    for capture in CAPTURES {
        assert_eq!(replay(capture.bytes, &Cut::Whole), capture.events, "{}", capture.name);
        assert_eq!(replay(capture.bytes, &Cut::Every(1)), capture.events, "{}", capture.name);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn cut_at_random(lengths in prop::collection::vec(1_usize..3_000, 1..20)) {
        for capture in CAPTURES {
            let came = replay(capture.bytes, &Cut::Lengths(lengths.clone()));
            prop_assert_eq!(came, capture.events, "{}", capture.name);
        }
    }
}
