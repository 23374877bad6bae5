//! Stories over real sockets: the real binary, synthetic publishers, players that check every
//! frame. One file per story, named for what goes wrong. Real clients, hostile bytes and virtual
//! time stand elsewhere.

mod support;

mod backups_stand_in;
mod edges_in_a_ring;
mod edges_lose_their_origin;
mod edges_pull_on_demand;
mod everything_at_once;
mod keys_are_secret;
mod origins_fail;
mod players_change_their_minds;
mod process_starts_and_stops;
mod publisher_goes_away;
mod publisher_returns_elsewhere;
mod publishers_are_killed;
mod readers_fall_behind;
mod slates_fill_gaps;
mod targets;
mod two_publishers_want_one_name;
mod viewers_join;
mod without_io_uring;
