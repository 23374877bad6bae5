//! A handful of the other files' tests on the driver for systems without `io_uring`.

#[test]
fn slow_handshakes() {
    crate::tcp::two_hundred_slow_handshakes(true);
}

#[test]
fn versions() {
    crate::handshake::versions_other_than_3(true);
}

#[test]
fn chunks() {
    crate::chunks::sizes_that_no_chunk_can_have(true);
    crate::chunks::tiny_chunks(true);
    crate::media::dust(true);
}

#[test]
fn pings_and_acknowledgements() {
    crate::control::pings_whose_answers_nobody_reads(true);
    crate::control::a_player_is_always_read(true);
}

#[test]
fn nesting_and_loops() {
    crate::amf0::nesting(true);
    crate::commands::streams_without_end(true);
}

#[test]
fn names() {
    crate::names::hostile_names(true);
}

#[test]
fn players() {
    crate::players::players_that_stop(20, true);
    crate::resources::players_of_nothing(true);
}

#[test]
fn descriptors() {
    crate::resources::no_descriptor_left(true);
}
