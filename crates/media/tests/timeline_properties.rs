//! What holds for every source, whatever its times.

use millstream_media::{Timeline, TrackKind};
use proptest::{collection::vec, prelude::*};

fn track() -> impl Strategy<Value = TrackKind> {
    prop_oneof![Just(TrackKind::Audio), Just(TrackKind::Video)]
}

/// Frames of two tracks that run beside each other: `step` moves the common clock on, `skew` is
/// how far the frame is from it.
fn live_frames(max: usize) -> impl Strategy<Value = Vec<(TrackKind, u32)>> {
    vec((track(), 0u32..200, 0u32..400), 1..max).prop_map(|frames| {
        let mut clock = 0;
        let step_on = |(track, step, skew)| {
            clock += step;
            (track, clock + skew)
        };
        frames.into_iter().map(step_on).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// A source that behaves is left alone, up to the one offset that puts its first frame at
    /// the beginning; wherever in the 32 bits it is.
    #[test]
    fn a_steady_source_is_untouched(start: u32, first in 1_000u64..1 << 40, frames in live_frames(200)) {
        let mut timeline = Timeline::new(first);
        let zero = frames[0].1;
        for (track, source) in frames {
            let placed = timeline.place(track, start.wrapping_add(source));
            prop_assert_eq!(placed.ms, first + u64::from(source) - u64::from(zero));
            prop_assert!(!placed.jumped);
        }
    }

    /// After both tracks have jumped by the same amount, at whichever message, both have the
    /// same offset again, and the line goes on without a gap.
    #[test]
    fn tracks_that_jump_jointly_stay_together(
        start: u32,
        jump in prop_oneof![5_000u32..20_000, 5_000u32..u32::MAX - 60_000],
        before in live_frames(60),
        audio_late in 0usize..6,
        video_late in 0usize..6,
        after in live_frames(60),
    ) {
        let mut timeline = Timeline::new(1_000);
        let mut end = 0;
        for &(track, source) in &before {
            timeline.place(track, start.wrapping_add(source));
            end = end.max(source);
        }
        // Of each track some frames still come in the old time.
        let mut late = [audio_late, video_late];
        let mut offsets = Vec::new();
        let last = timeline.last();
        for &(track, source) in &after {
            let source = start.wrapping_add(end).wrapping_add(source);
            let late = &mut late[usize::from(track == TrackKind::Video)];
            if *late > 0 {
                *late -= 1;
                timeline.place(track, source);
                continue;
            }
            let source = source.wrapping_add(jump);
            let placed = timeline.place(track, source);
            offsets.push((placed.ms as u32).wrapping_sub(source));
            prop_assert!(placed.ms + 3_000 >= last);
        }
        prop_assert!(offsets.iter().all(|offset| *offset == offsets[0]), "{:?}", offsets);
        prop_assert!(timeline.last() - last < 16_000 + 3_000);
    }

    /// No source can send the line far back or far ahead, and `last` is its furthest time.
    #[test]
    fn no_source_moves_the_line_by_more_than_a_jump(
        frames in vec((0u8..3, prop_oneof![any::<u32>(), 0u32..10_000], any::<bool>()), 1..200),
    ) {
        let mut timeline = Timeline::new(40_000);
        for (track, source, resume) in frames {
            if resume {
                timeline.resume();
            }
            let before = timeline.last();
            let kind = [TrackKind::Audio, TrackKind::Video, TrackKind::Data][usize::from(track)];
            let placed = timeline.place(kind, source);
            prop_assert!(placed.ms <= before + 3_000);
            prop_assert!(placed.ms + 30_000 >= before);
            prop_assert_eq!(timeline.last(), before.max(placed.ms));
        }
    }
}
