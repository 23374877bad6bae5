//! Every limit of the generator, with its reason.

use std::time::Duration;

/// Connections under way at one time unless a join storm is wanted: servers bound those that have
/// not ended their handshake, and that limit is not what is tested.
pub const CONNECTING_MAX: usize = 32;

/// Players that come from one address of this machine unless the plan says otherwise: an address
/// has 28,000 ports for one server, and some servers limit players by address.
pub const PLAYERS_PER_ADDRESS: u64 = 2000;

/// What one read takes at most: a group of pictures at common bitrates is two of them.
pub const READ_BYTES: usize = 256 * 1024;

/// Events of one poll.
pub const EVENTS: usize = 4096;

/// Events after which publishers that are due have their turn: a round over thousands of players
/// takes longer than a frame may be late.
pub const EVENTS_PER_TURN: usize = 64;

/// The longest wait of a worker, and how often counters are handed over.
pub const HAND_OVER_NS: u64 = 100_000_000;

/// How often connections are looked over for one that takes too long.
pub const PATROL_NS: u64 = 250_000_000;

/// How often players that read slowly on purpose have their turn.
pub const TRICKLE_NS: u64 = 10_000_000;

/// A publisher with so much unsent does not get through and is given up.
pub const UNSENT_MAX: usize = 16 << 20;

/// Publishers of a stream whose end is remembered: players are never further behind.
pub const EPOCHS_MAX: usize = 64;

/// How long the last frames may take.
pub const DRAIN_MAX: Duration = Duration::from_secs(5);

/// Between two looks of the director at the counters.
pub const LOOK: Duration = Duration::from_millis(50);

/// Players of a group that a worker ends in one round when fewer are wanted: thousands of goodbyes
/// take longer than a frame may be late.
pub const DEPARTING_MAX: usize = 64;

/// From the last publisher's acceptance until the first player comes, unless the plan says
/// otherwise: a stream has begun by then, and there is something for a player to begin with.
pub const LEAD: Duration = Duration::from_millis(1500);

/// After the last player has joined, until measuring begins: their backlog passes.
pub const SETTLE: Duration = Duration::from_millis(1500);

/// Before a player or publisher whose end the plan allows for comes again: as quick as impatient
/// clients are, slow enough that a server that refuses is not asked without end.
pub const RETURN_AFTER: Duration = Duration::from_millis(500);

/// Descriptors that the generator needs beside its connections.
pub const DESCRIPTORS_SPARE: u64 = 64;

/// Share of its core above which nothing that the generator measured is believed.
pub const OWN_CORE_MAX: f64 = 0.85;

/// Own lag (p99) above which nothing that the generator measured is believed, in milliseconds.
pub const OWN_LAG_MS_MAX: f64 = 5.0;

/// How long a trial of how many players fit is.
pub const FIT_LENGTH: Duration = Duration::from_secs(4);

/// Players beyond which no trial goes: one address of this machine has no more ports.
pub const FIT_MAX: usize = 65_000;

/// Share of its core that the generator may use in a trial: the run that follows must stay valid.
pub const FIT_OWN_CORE_MAX: f64 = 0.75;

/// Video delay (p99) up to which players fit, in milliseconds: what viewers of live streams are
/// used to on top of their own buffer.
pub const FIT_P99_MS_MAX: f64 = 400.0;
