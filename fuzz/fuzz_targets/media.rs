//! Configurations are refused or make sense, and no source moves the timeline by more than it may.

#![no_main]

use libfuzzer_sys::fuzz_target;
use millstream_media::{
    AacConfig, AvcConfig, JUMP_MS, LAG_MS_MAX, Sps, Timeline, Timestamp, TrackKind,
};

fuzz_target!(|data: &[u8]| {
    check_timeline(data);
    check_picture(data);
    if let Ok(config) = AvcConfig::parse(data) {
        assert!(matches!(config.nal_length_size, 1 | 2 | 4));
        let held: usize = config.sps.iter().chain(&config.pps).map(|set| set.len() + 2).sum();
        assert!(held + 7 <= data.len());
        assert_eq!(config.codec_string().len(), 11);
        for set in &config.sps {
            check_picture(set);
        }
    }
    if let Ok(config) = AacConfig::parse(data) {
        assert!(config.sample_rate > 0 && config.output_sample_rate > 0);
        assert!(config.channels.is_none_or(|channels| channels <= 93));
        assert!(config.ps != Some(true) || config.sbr == Some(true));
    }
});

fn check_picture(nal: &[u8]) {
    if let Ok(sps) = Sps::parse(nal) {
        assert!((1..=65_536).contains(&sps.width));
        assert!((1..=131_072).contains(&sps.height));
        assert!(sps.chroma_format_idc <= 3);
    }
}

/// Five bytes are a frame: what to do, then the time in the source.
fn check_timeline(data: &[u8]) {
    let first = LAG_MS_MAX + 1;
    let mut timeline = Timeline::new(first);
    let (steps, _) = data.as_chunks::<5>();
    for &[what, a, b, c, d] in steps {
        if what & 0x80 != 0 {
            timeline.resume();
        }
        let before = timeline.last();
        let source = u32::from_be_bytes([a, b, c, d]);
        let kind = [TrackKind::Audio, TrackKind::Video, TrackKind::Data][usize::from(what % 3)];
        let placed = timeline.place(kind, source);
        assert!(placed.ms <= before + JUMP_MS);
        assert!(placed.ms + LAG_MS_MAX >= before);
        assert_eq!(timeline.last(), before.max(placed.ms));
        let nearest = Timestamp::from_ms(before).nearest(source);
        assert_eq!(nearest.wire(), source);
        assert!(nearest.ms().abs_diff(before) <= 1 << 31 || before < 1 << 31);
    }
}
