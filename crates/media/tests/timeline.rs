//! What sources do to their time, one story per test.

use millstream_media::{LAG_MS_MAX, Placed, Timeline, TrackKind};

const A: TrackKind = TrackKind::Audio;
const V: TrackKind = TrackKind::Video;
const D: TrackKind = TrackKind::Data;

/// Places these frames and returns their times on the line.
fn place(timeline: &mut Timeline, frames: &[(TrackKind, u32)]) -> Vec<u64> {
    frames.iter().map(|&(track, source)| timeline.place(track, source).ms).collect()
}

/// A line starting at 0 with pictures up to 10,000 and sound up to 10,010, source time the same.
fn ten_seconds() -> Timeline {
    let mut timeline = Timeline::new(0);
    for at in (0..=10_000).step_by(40) {
        assert_eq!(timeline.place(V, at), Placed { ms: u64::from(at), jumped: false });
        assert_eq!(timeline.place(A, at + 10).ms, u64::from(at) + 10);
    }
    timeline
}

#[test]
fn the_first_frame_lands_where_the_line_begins() {
    let mut timeline = Timeline::new(500);
    assert_eq!(timeline.last(), 500);
    assert_eq!(timeline.place(V, 77_000), Placed { ms: 500, jumped: false });
    assert_eq!(place(&mut timeline, &[(A, 77_023), (V, 77_040)]), [523, 540]);
    assert_eq!(timeline.last(), 540);
}

#[test]
fn sound_from_before_the_first_picture_keeps_its_distance() {
    let mut timeline = Timeline::new(500);
    assert_eq!(place(&mut timeline, &[(V, 1_000), (A, 900), (A, 923)]), [500, 400, 423]);
    assert_eq!(timeline.last(), 500);
    // Below the start of the line there is nothing, but the offset is not lost.
    let mut timeline = Timeline::new(50);
    assert_eq!(place(&mut timeline, &[(V, 1_000), (A, 900), (A, 980)]), [50, 0, 30]);
}

#[test]
fn time_wraps_at_2_to_the_32() {
    let mut timeline = Timeline::new(0);
    let frames = [(V, u32::MAX - 19), (A, u32::MAX - 9), (V, 20), (A, 13), (V, 60)];
    assert_eq!(place(&mut timeline, &frames), [0, 10, 40, 33, 80]);
}

#[test]
fn a_stream_of_fifty_days_crosses_every_boundary_unharmed() {
    for boundary in [1u32 << 24, 1 << 31, 0] {
        let start = boundary.wrapping_sub(5_000);
        let mut timeline = Timeline::new(0);
        for at in (0..10_000).step_by(40) {
            let placed = timeline.place(V, start.wrapping_add(at));
            assert_eq!(placed, Placed { ms: u64::from(at), jumped: false });
            assert_eq!(timeline.place(A, start.wrapping_add(at + 7)).ms, u64::from(at) + 7);
        }
    }
}

#[test]
fn two_wraps_make_64_bits() {
    let mut timeline = Timeline::new(0);
    let mut expected = 0;
    let mut source = 0u32;
    while expected < 3 << 32 {
        assert_eq!(timeline.place(V, source), Placed { ms: expected, jumped: false });
        source = source.wrapping_add(3_000);
        expected += 3_000;
        // Nobody waits for four million frames: begin anew shortly before the next wrap.
        if source > 20_000 && source < u32::MAX - 20_000 {
            let skipped = u32::MAX - 10_000 - source;
            timeline = Timeline::new(expected + u64::from(skipped));
            source += skipped;
            expected += u64::from(skipped);
        }
    }
}

#[test]
fn an_encoder_restarts_at_zero() {
    let mut timeline = ten_seconds();
    assert_eq!(timeline.place(V, 0), Placed { ms: 10_040, jumped: true });
    assert_eq!(timeline.place(A, 10), Placed { ms: 10_050, jumped: true });
    assert_eq!(timeline.place(V, 40), Placed { ms: 10_080, jumped: false });
    assert_eq!(timeline.place(A, 33), Placed { ms: 10_073, jumped: false });
}

#[test]
fn a_jump_of_hours_is_taken_out_both_ways() {
    for source in [10_000 + 7_200_000, u32::MAX - 3_600_000] {
        let mut timeline = ten_seconds();
        assert_eq!(timeline.place(A, source), Placed { ms: 10_050, jumped: true });
        assert_eq!(timeline.place(V, source - 20), Placed { ms: 10_030, jumped: true });
    }
}

#[test]
fn the_other_track_keeps_the_old_epoch_until_it_switches_too() {
    let mut timeline = ten_seconds();
    assert_eq!(place(&mut timeline, &[(V, 0), (V, 40)]), [10_040, 10_080]);
    // Sound that was still on its way, in the old time.
    assert_eq!(place(&mut timeline, &[(A, 10_033), (A, 10_056)]), [10_033, 10_056]);
    assert_eq!(place(&mut timeline, &[(V, 80)]), [10_120]);
    assert_eq!(timeline.place(A, 75), Placed { ms: 10_115, jumped: true });
    assert_eq!(place(&mut timeline, &[(V, 120), (A, 98)]), [10_160, 10_138]);
}

#[test]
fn a_jump_that_only_one_track_sees_as_one_moves_both() {
    // Pictures jump by more than three seconds, sound by less.
    let mut timeline = ten_seconds();
    assert_eq!(timeline.place(V, 13_020), Placed { ms: 10_040, jumped: true });
    assert_eq!(timeline.place(A, 13_000), Placed { ms: 10_020, jumped: true });
    // The other way round, both are relayed: the first one has said that it is no jump.
    let mut timeline = ten_seconds();
    assert_eq!(timeline.place(V, 13_000), Placed { ms: 13_000, jumped: false });
    assert_eq!(timeline.place(A, 13_020), Placed { ms: 13_020, jumped: false });
}

#[test]
fn three_seconds_are_relayed_and_one_more_millisecond_is_not() {
    let mut timeline = Timeline::new(0);
    assert_eq!(place(&mut timeline, &[(V, 0), (V, 3_000), (V, 0)]), [0, 3_000, 0]);
    assert!(timeline.place(V, 6_001).jumped);
    let mut timeline = Timeline::new(0);
    assert_eq!(place(&mut timeline, &[(V, 5_000), (V, 8_001), (V, 5_000)]), [0, 1, 2]);
}

#[test]
fn small_steps_backward_are_relayed_and_do_not_add_up() {
    let mut timeline = ten_seconds();
    assert_eq!(
        place(&mut timeline, &[(V, 9_990), (V, 9_980), (V, 10_020)]),
        [9_990, 9_980, 10_020]
    );
    assert_eq!(timeline.last(), 10_020);
    // A clock that runs backward is a jump every three seconds.
    let mut timeline = Timeline::new(0);
    let mut jumps = 0;
    for back in 0..100u32 {
        jumps += u32::from(timeline.place(V, 1_000_000 - 100 * back).jumped);
    }
    assert_eq!(jumps, 3);
}

#[test]
fn sound_that_was_silent_comes_back_in_its_place() {
    let mut timeline = ten_seconds();
    for at in (10_040..60_000).step_by(40) {
        timeline.place(V, at);
    }
    assert_eq!(timeline.place(A, 59_950), Placed { ms: 59_950, jumped: false });
}

#[test]
fn sound_whose_clock_stood_still_is_brought_to_the_end() {
    let mut timeline = ten_seconds();
    let end = 10_010 + LAG_MS_MAX as u32 + 100;
    for at in (10_040..=end).step_by(10) {
        timeline.place(V, at);
    }
    let placed = timeline.place(A, 10_033);
    assert_eq!(placed, Placed { ms: timeline.last(), jumped: true });
    assert!(placed.ms > u64::from(end) - 40);
    // From there it goes on by its own time.
    assert_eq!(timeline.place(A, 10_056), Placed { ms: placed.ms + 23, jumped: false });
}

#[test]
fn a_sequence_header_stamped_zero_in_mid_stream_leaves_no_trace() {
    let mut timeline = ten_seconds();
    assert_eq!(timeline.place(A, 0), Placed { ms: 10_050, jumped: true });
    assert_eq!(timeline.place(V, 10_040), Placed { ms: 10_040, jumped: false });
    assert_eq!(timeline.place(A, 10_033), Placed { ms: 10_033, jumped: true });
}

#[test]
fn headers_stamped_zero_before_a_late_start() {
    let mut timeline = Timeline::new(0);
    let start = 86_400_000;
    let frames = [(D, 0), (V, 0), (A, 0), (V, start), (A, start + 5), (V, start + 40)];
    assert_eq!(place(&mut timeline, &frames), [0, 1, 1, 2, 7, 42]);
}

#[test]
fn data_follows_and_never_leads() {
    let mut timeline = ten_seconds();
    assert_eq!(timeline.place(D, 9_950), Placed { ms: 9_950, jumped: false });
    // Metadata that always says 0 opens an epoch of its own ...
    assert!(timeline.place(D, 0).jumped);
    for at in (10_040..14_000).step_by(40) {
        assert_eq!(timeline.place(V, at).ms, u64::from(at));
    }
    // ... which a restart at 0 does not fall into, long behind the end of the line.
    assert_eq!(timeline.place(V, 0), Placed { ms: 14_000, jumped: true });
}

#[test]
fn two_clocks_that_have_nothing_in_common_each_keep_their_own() {
    let mut timeline = Timeline::new(0);
    timeline.place(V, 0);
    let sound = timeline.place(A, 500_000).ms;
    assert_eq!(sound, 1);
    for at in (40..4_000).step_by(40) {
        assert_eq!(timeline.place(V, at), Placed { ms: u64::from(at), jumped: false });
        let placed = timeline.place(A, 500_000 + at);
        assert_eq!(placed, Placed { ms: sound + u64::from(at), jumped: false });
    }
}

#[test]
fn another_publisher_goes_on_with_either_track_first() {
    for (first, second) in [(A, V), (V, A)] {
        let mut timeline = ten_seconds();
        timeline.resume();
        assert_eq!(timeline.last(), 10_010);
        assert_eq!(timeline.place(first, 5_000), Placed { ms: 10_011, jumped: false });
        assert_eq!(timeline.place(second, 5_100), Placed { ms: 10_111, jumped: false });
        assert_eq!(timeline.place(second, 4_990), Placed { ms: 10_001, jumped: false });
    }
}

#[test]
fn a_publisher_that_goes_on_with_the_same_time_still_lands_at_the_end() {
    let mut timeline = ten_seconds();
    timeline.resume();
    assert_eq!(place(&mut timeline, &[(V, 2_000), (A, 2_010)]), [10_011, 10_021]);
}

#[test]
fn resuming_before_anything_was_placed_changes_nothing() {
    let mut timeline = Timeline::new(70);
    timeline.resume();
    assert_eq!(timeline.place(V, 9).ms, 70);
}

#[test]
fn the_end_of_64_bits_is_held() {
    let mut timeline = Timeline::new(u64::MAX);
    let end = i64::MAX as u64;
    assert_eq!(place(&mut timeline, &[(V, 0), (V, 40), (V, 9_000_000), (A, 0)]), [end; 4]);
}
