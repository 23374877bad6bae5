//! Shows what the timeline makes of a source that wraps, restarts and is taken over.

use millstream_media::{Timeline, TrackKind};

fn main() {
    use TrackKind::{Audio, Video};

    let mut timeline = Timeline::new(0);
    let mut show = |track: TrackKind, source: u32| {
        let placed = timeline.place(track, source);
        let note = if placed.jumped { "  jumped" } else { "" };
        println!("{track:?} at {source:>10} is at {:>4}{note}", placed.ms);
    };

    println!("32-bit time wraps:");
    for (track, source) in [(Video, u32::MAX - 19), (Audio, u32::MAX - 9), (Video, 20), (Audio, 13)]
    {
        show(track, source);
    }
    println!("The encoder restarts; sound of the old time was still on its way:");
    for (track, source) in [(Video, 3_600_000), (Audio, 36), (Video, 3_600_040), (Audio, 3_600_030)]
    {
        show(track, source);
    }

    timeline.resume();
    println!("Another publisher goes on, behind {}:", timeline.last());
    for (track, source) in [(Audio, 77), (Video, 80)] {
        println!("{track:?} at {source:>10} is at {:>4}", timeline.place(track, source).ms);
    }
}
