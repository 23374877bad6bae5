//! Stories over real sockets: the real binary, synthetic publishers, players that check every
//! frame. One file per story, named for what goes wrong. Real clients, hostile bytes and virtual
//! time stand elsewhere.

mod support;

mod publisher_goes_away;
mod publisher_returns_elsewhere;
mod two_publishers_want_one_name;
mod viewers_join;
