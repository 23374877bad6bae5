//! Every limit of the server, with its reason. Protocol limits stand in the protocol crates.

use std::time::Duration;

/// What a log keeps for joiners, in bytes: 15 s of a 17 Mbit/s stream.
pub const GOP_CACHE_BYTES: usize = 32 * 1024 * 1024;
/// What a log keeps for joiners, in time: longer groups of pictures are rare, and a joiner that is
/// handed more takes longer to catch up than the next key frame takes to come.
pub const GOP_CACHE_SPAN: Duration = Duration::from_secs(15);
/// The smallest segment. A thousand idle publishers must not take much; a segment holds a second
/// of media, and 64 KiB are a second at 0.5 Mbit/s. (The model checker walks every byte.)
pub const SEGMENT_BYTES_MIN: usize = if cfg!(millstream_loom) { 4 } else { 64 * 1024 };
/// The largest segment that is made ahead of need; one larger message gets one of its own size.
pub const SEGMENT_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Memory of segments that a thread keeps for the next ones. A stream takes a segment at a time and lets
/// a whole group of pictures go at once: a thousand streams let go in bursts what they take evenly.
pub const SPARE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// What a log keeps of the room in which it put the head of a message together; none is longer.
pub const HEAD_BYTES_KEPT: usize = 32;
/// A segment that a header opens: usually another header, or a frame too large for it, follows.
pub const HEADER_SEGMENT_BYTES: usize = if cfg!(millstream_loom) { 4 } else { 4 * 1024 };
/// Messages in such a segment.
pub const HEADER_SEGMENT_ENTRIES: usize = if cfg!(millstream_loom) { 2 } else { 16 };
/// Segments of one log: a publisher that reconnects without sending media leaves only empty ones.
pub const SEGMENTS_MAX: usize = 1024;
/// Headers of one stream: 16 tracks of video and audio with two parts each, and metadata.
pub const HEADER_SLOTS_MAX: usize = 72;
/// Bytes of all headers of one stream; metadata of 64 KB has been seen, configurations are small.
pub const HEADER_BYTES_MAX: usize = 1024 * 1024;
/// Streams of one process, published or waited for: an unknown name costs memory only while a
/// player waits for it, and descriptors bound the players.
pub const STREAMS_MAX: usize = 32_768;
/// A publisher without media for this long is stale: the longest pause seen in healthy encoders is
/// the 2 to 3 s in which they change scenes or codecs.
pub const PUBLISHER_STALE: Duration = Duration::from_secs(5);
/// Publishers that wait for one name: each is a whole stream of incoming media that nobody sees, and a
/// stream that matters has two encoders, seldom three.
pub const STANDBYS_MAX: usize = 4;
/// What one keeps that waits and was promised its stream, in bytes, before the last message: the
/// promise is kept within a turn of the other shard, and this is a second at 64 Mbit/s.
pub const STANDBY_BYTES_MAX: usize = 8 * 1024 * 1024;
/// One that waits asks for its turn no more often: a stream of nothing but key frames must not take the
/// registry's lock with each.
pub const STANDBY_ASK_INTERVAL: Duration = Duration::from_millis(50);
/// One that waits has its turn before those that came later while its last key frame is no older. Key
/// frames come every one to four seconds; one that has stopped must not keep the others waiting.
pub const STANDBY_PRECEDENCE: Duration = Duration::from_secs(5);
/// A name changes hands between connected publishers no faster than this.
pub const TAKEOVER_INTERVAL: Duration = Duration::from_secs(5);
/// How much longer than a slate takes to come its viewers are kept for it: a few ticks.
pub const COVER_MARGIN: Duration = Duration::from_secs(2);
/// The largest slate, in bytes of its file: it stands in memory whole. Two minutes at 4 Mbit/s.
pub const SLATE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Slates that one shard plays at a time. Viewers of names that nobody publishes can start them, and
/// each has a timer and a log.
pub const SLATES_MAX: usize = 256;
/// Messages of a slate that are appended in one step, if it is late or its file has one time for many.
pub const SLATE_BURST: usize = 64;
/// The shortest a slate takes before it begins anew, which a file of one picture, or one whose times
/// stand still, would do without end.
pub const SLATE_ROUND_MIN: Duration = Duration::from_secs(1);
/// A viewer this far behind skips to a newer key frame.
pub const LAG_SKIP: Duration = Duration::from_secs(4);
/// A viewer this many groups of pictures behind skips, if it is at least half of
/// [`LAG_SKIP`] behind: with key frames every 250 ms, two groups are no lag at all.
pub const LAG_SKIP_GOPS: u32 = 2;
/// The time in which `lag.skips_per_minute` counts a viewer's skips.
pub const SKIPS_SPAN: Duration = Duration::from_secs(60);
/// What a viewer who is catching up is sent in one turn, after those at the live edge: a joiner's
/// group of pictures must not delay the others' next frame.
pub const CATCH_UP_SHARE: usize = 256 * 1024;
/// Private bytes that one viewer may have waiting: the rest of a large key frame whose segment
/// left the ring, the data messages it skipped, and answers to its commands.
pub const PRIVATE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// The longest an audio frame waits for a video frame to ride with.
pub const RIDE_MAX: Duration = Duration::from_millis(50);
/// How long an audio-only stream gathers frames.
pub const RIDE_AUDIO_ONLY: Duration = Duration::from_millis(25);
/// Without video for this long, a stream is taken for audio-only where riding is concerned.
pub const RIDE_VIDEO_GONE: Duration = Duration::from_millis(100);
/// Audio of this length without any video configuration makes a stream audio-only for joiners.
pub const AUDIO_ONLY_AFTER: Duration = Duration::from_millis(1000);
/// Video of this length without a key frame (intra refresh) is joined at the live edge.
pub const NO_KEY_AFTER: Duration = Duration::from_secs(10);

/// Index entries for a segment of `bytes` bytes: messages of 256 bytes and more fill the bytes first.
pub const fn segment_entries(bytes: usize) -> usize {
    let least = if cfg!(millstream_loom) { 2 } else { 256 };
    let entries = bytes / 256;
    if entries < least { least } else { entries }
}

const _: () = assert!(SEGMENT_BYTES_MIN <= SEGMENT_BYTES_MAX);
const _: () = assert!(SEGMENT_BYTES_MAX < GOP_CACHE_BYTES);

/// Connections to the HTTP side at one time. A browser holds six, a scraper one; the rest wait
/// in the kernel's queue.
pub const HTTP_CONNECTIONS_MAX: usize = 128;

/// From the first to the last byte of a request's head.
pub const HTTP_HEADER_TIMEOUT: Duration = Duration::from_secs(10);

/// The life of an HTTP connection. Every answer is small, so one that lasts longer is idle or
/// reads too slowly; it is closed after the answer under way, and clients connect again.
pub const HTTP_CONNECTION_LIFE: Duration = Duration::from_secs(60);

/// What an answer under way gets after [`HTTP_CONNECTION_LIFE`], or at shutdown.
pub const HTTP_LAST_ANSWER: Duration = Duration::from_secs(5);

/// Buffer for a request's head, in bytes; a longer head is refused. Browsers send 1 to 2 KB.
pub const HTTP_HEAD_MAX: usize = 16 * 1024;

/// A request's body, where one is read: a target has some hundred bytes.
pub const HTTP_BODY_MAX: usize = 16 * 1024;

/// Header lines in a request.
pub const HTTP_HEADERS_MAX: usize = 64;

/// Streams that get series of their own in the metrics; beyond, only the totals count them.
/// Every label value costs the scraper memory for days.
pub const METRICS_STREAMS_MAX: usize = 500;

/// Streams shown on the status page; the API lists them all.
pub const PAGE_STREAMS_MAX: usize = 500;

const _: () = assert!(HTTP_HEAD_MAX >= 8192, "hyper wants at least 8 KiB");

/// Mail that one shard's inbox holds: a decision or two for each connection it can have.
pub const INBOX_MAX: usize = 65_536;
/// A connection without traffic for this long is probed.
pub const KEEPALIVE_IDLE: Duration = Duration::from_secs(10);
/// The pause between two probes.
pub const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);
/// Probes without an answer after which the connection is dead.
pub const KEEPALIVE_PROBES: u32 = 3;
/// Unsent bytes that the kernel takes of one connection: enough to keep a 10 Gbit/s link busy
/// between two passes, and little enough that a backlog stays in the shared log.
pub const NOTSENT_LOWAT: u32 = 128 * 1024;
/// What a shard reads into. One read takes at most this much of one connection.
pub const READ_BUFFER: usize = 64 * 1024;
/// Reads that one connection gets before the others have their turn.
pub const READS_PER_TURN: usize = 4;
/// After this much time the reads of a turn end early: a buffer of small messages, each with a
/// header of its own, is far more work than one of video.
pub const READ_TURN_MAX: Duration = Duration::from_millis(2);
/// Sockets that are read in one round of intake; more wait for the next. The events take 12 bytes.
pub const INTAKE_ROUND: usize = 1024;
/// After this much time of reading, the other tasks of the shard have their turns: the viewers' next
/// frames wait no longer.
pub const INTAKE_STRETCH: Duration = Duration::from_millis(1);
/// For what intake spends on publishers, the shard rests so many times as long: reading takes a fifth
/// of the core before frames are gathered.
pub const INTAKE_REST_SHARE: u32 = 4;
/// The longest rest. Frames of a shard that is busy with publishers wait half of it on average, and a
/// key frame larger than the socket's buffer several times. A publisher sends 70 to 80 messages a second:
/// shorter rests seldom find two of them together. 40 Mbit/s fill a fresh socket's 64 KB in it.
pub const INTAKE_REST_MAX: Duration = Duration::from_millis(12);
/// So many publishers found together are many: the next time they shall be found with more.
pub const INTAKE_MANY: usize = 8;
/// When frames wait for a window, many publishers are read so many times in it, and once more before it
/// ends. More finds less in each socket; fewer has the sockets fill up.
pub const INTAKE_ROUNDS_PER_WINDOW: u32 = 8;
/// A turn that reads as much is followed by no such rest: there may be more than a socket holds.
pub const INTAKE_FULL: usize = 32 * 1024;
/// The shortest rest, which is what the runtime's timers can tell.
pub const INTAKE_REST_MIN: Duration = Duration::from_millis(1);
/// Mails that a shard reads before its other tasks have their turns: an application may send without
/// end through the handles of its sessions.
pub const MAIL_PER_TURN: usize = 64;
/// The longest message that an application may send to one session. It must fit, several times, into
/// what may wait for one viewer alone.
pub const SESSION_MESSAGE_MAX: usize = PRIVATE_BYTES_MAX / 4;
/// The longest reason of a refusal, and the longest URL of a redirect, that a peer is told.
pub const REASON_BYTES_MAX: usize = 1000;
/// Turns of a fan-out pass before the shard reads its sockets: about a millisecond.
pub const PASS_TURNS: usize = 200;
/// The chunk size that servers are told to which a stream is pushed: what OBS announces, so that every
/// service has seen it.
pub const PUSH_CHUNK_SIZE: u32 = 4096;
/// The highest message stream id that a target may give. Nearly all give 1; those with another one share a
/// log of their own, which lives as long as the stream, so that a target must not count upwards for ever.
pub const PUSH_STREAM_ID_MAX: u32 = 16;
/// A file of root certificates. A system's whole bundle has a quarter of a megabyte.
pub const CA_BYTES_MAX: u64 = 4 << 20;
/// TLS records that may hold nothing, in one read: a full one has 16 KiB.
pub const SECURE_READS: usize = 16;
/// Threads that ask the system for addresses. One that hangs on a name server holds up the names that
/// wait behind it, so there is more than one; the names of some services are few.
pub const RESOLVER_THREADS: usize = 4;
/// Names that wait for such a thread.
pub const RESOLVER_QUEUE_MAX: usize = 1024;
/// Addresses of one name that are tried.
pub const ADDRESSES_TRIED_MAX: usize = 8;
/// How long the addresses of a name may take: a second question to a name server, after one was lost.
pub const RESOLVE_MAX: Duration = Duration::from_secs(15);
/// How long one address may take to be connected to: two packets may be lost on the way, and are sent
/// again after 1 s and 3 s.
pub const DIAL_MAX: Duration = Duration::from_secs(5);
/// From the connection to the other end's yes.
pub const OUTBOUND_ANSWER_MAX: Duration = Duration::from_secs(15);
/// The wait after a first failure, at most; it doubles with each one.
pub const BACKOFF_FIRST: Duration = Duration::from_secs(1);
/// The longest wait between two attempts: a service that is back is found within half a minute.
pub const BACKOFF_MAX: Duration = Duration::from_secs(30);
/// Whoever was connected for this long begins anew with the short waits: one that accepts and then
/// hangs up is not asked each second for ever.
pub const BACKOFF_FORGETS: Duration = Duration::from_secs(30);
/// What somebody that we push to may send in a second. Answers and acknowledgements are some hundred
/// bytes; 64 KiB are a flood.
pub const PUSH_ANSWER_BYTES: u64 = 64 * 1024;
/// Targets of pushes, patterns among them: the API takes them one by one, and each is shown.
pub const TARGETS_MAX: usize = 1024;
/// Streams on their way to targets. Descriptors bound them too.
pub const ORDERS_MAX: usize = 8192;
/// How long a target of a pattern keeps what it knows of a stream that has ended.
pub const ORDER_KEPT: Duration = Duration::from_secs(60);
/// How long the other end has to close a connection that we have ended, before we do.
pub const GOODBYE_MAX: Duration = Duration::from_secs(1);
/// The longest words of a refusal that are kept.
pub const REFUSAL_WORDS_MAX: usize = 300;
/// The connections that wait to be accepted. The kernel caps it by `net.core.somaxconn`.
pub const BACKLOG: i32 = 4096;
/// The pause after running out of descriptors.
pub const EXHAUSTED_PAUSE: Duration = Duration::from_millis(50);
/// How often a shard looks at deadlines, and measures its load.
pub const TICK: Duration = Duration::from_millis(250);
/// Ticks in a second.
pub const TICKS_PER_SECOND: u64 = 4;
/// A connected peer that was silent for this long is sent a ping.
pub const PING_AFTER: Duration = Duration::from_secs(10);
/// Messages besides audio and video that a connection may send in a second. Encoders send a dozen at
/// their start, then an acknowledgement or a cue point now and then.
pub const OTHER_MESSAGES_PER_SECOND: u64 = 5_000;
/// A message of media with less payload than this is tiny: what it costs is not paid by its bytes.
pub const TINY_MESSAGE_BYTES: usize = 32;
/// Tiny messages of media that a connection may send in a second. Silence in 16 tracks has 800; a file
/// that is sent as fast as it can be read has many messages, but few of them are tiny.
pub const TINY_MESSAGES_PER_SECOND: u64 = 20_000;
/// The application's time to answer a request.
pub const ANSWER_MAX: Duration = Duration::from_secs(10);
/// Requests to publish, play, pause, seek or leave out a track that one connection may make within
/// [`REQUESTS_SPAN`]. People switch channels a few times a second; a loop fills the log.
pub const REQUESTS_MAX: u32 = 100;
/// See [`REQUESTS_MAX`].
pub const REQUESTS_SPAN: Duration = Duration::from_secs(10);
/// How long a connection that is to be closed may take for its last bytes.
pub const CLOSING_MAX: Duration = Duration::from_secs(5);
/// How long after the notice of an end a player is sent stream end: GStreamer's rtmp2src throws
/// away the message it holds when that arrives, so it needs time to hand on the last one.
pub const FAREWELL_AFTER: Duration = Duration::from_millis(150);
/// How long a drain takes at least, so that what other shards end is seen.
pub const DRAIN_MIN: Duration = Duration::from_millis(750);
/// How long viewers have at most to take what is theirs before the server stops.
pub const DRAIN_MAX: Duration = Duration::from_secs(10);

const _: () = assert!(TICK.as_millis() * TICKS_PER_SECOND as u128 == 1000);

/// Clients of a proxy at one time. Each is a thread, or two while its target is looked for.
pub const PROXY_CONNECTIONS: u32 = 1000;
/// The stack of such a thread: several times what the deepest command and a TLS handshake take.
pub const PROXY_STACK_BYTES: usize = 512 * 1024;
/// Bytes that a proxy has waiting for a socket before it reads no more of what comes for it. The last
/// message is never cut, so that a long one is held whole.
pub const PROXY_BACKLOG_BYTES: usize = 256 * 1024;
/// With so much waiting for a socket, that socket itself is not read either: what it says makes
/// answers. More than [`PROXY_BACKLOG_BYTES`], so that two slow sides do not wait for each other.
pub const PROXY_ANSWER_BYTES: usize = 4 * PROXY_BACKLOG_BYTES;
/// Targets that are looked for at one time for one client of a proxy: each is a thread, and lives until the
/// target has answered, even if the client has thought better of it.
pub const PROXY_DIALS_MAX: usize = 4;
/// Connections to targets of one client of a proxy. Renames may lead each stream to another application.
pub const PROXY_TARGETS_MAX: usize = 16;
/// Bytes that a client of a proxy may send ahead of the target's answer to its request. The session holds
/// more (`millstream_rtmp::limits::HELD_BYTES_MAX`) and takes who goes beyond for broken.
pub const PROXY_AHEAD_BYTES: usize = 256 * 1024;
/// From a connection's first byte to the answer to `connect`, on either side of a proxy.
pub const PROXY_OPEN_MAX: Duration = Duration::from_secs(10);
/// How long a connected target may take to answer a publish or play: servers hold players while a
/// publisher is expected.
pub const PROXY_ANSWER_MAX: Duration = Duration::from_secs(30);
/// A client of a proxy that neither publishes nor plays for this long is closed.
pub const PROXY_IDLE_MAX: Duration = Duration::from_secs(60);
/// A side that takes no byte of what waits for it for this long is lost.
pub const PROXY_STALLED_MAX: Duration = Duration::from_secs(30);
/// The longest pause before the first attempt to find a lost target again.
pub const PROXY_RETRY_FIRST: Duration = Duration::from_millis(500);
/// The longest pause between two attempts: a stream is dark for that long after a restart.
pub const PROXY_RETRY_MAX: Duration = Duration::from_secs(10);
/// Commands of one client that a target may still answer. Most are never answered.
pub const PROXY_CALLS_MAX: usize = 64;

const _: () = assert!(PROXY_BACKLOG_BYTES < PROXY_ANSWER_BYTES);
/// Servers between a viewer's and the one that has the stream. A tree of three levels with a hundred
/// edges each serves more than anybody has; longer ways are mistakes, and each hop costs a moment.
pub const HOPS_MAX: usize = 8;
/// An origin's time to take a connection and to answer that it plays, where it is the only one. Where
/// there is another, the rule's `stall` counts.
pub const PULL_ANSWER_MAX: Duration = Duration::from_secs(10);
/// How long the only origin may send no media before it is asked anew. It answers a play for a stream
/// that nobody publishes by silence, so this is as long as players wait.
pub const PULL_SILENCE_MAX: Duration = Duration::from_secs(30);
/// An origin that fed a stream for so long is good: when it is lost, all others are tried without a
/// pause. One that is lost sooner, time and again, has a pause as one that refuses.
pub const PULL_STEADY: Duration = Duration::from_secs(5);
/// The pause after all origins were tried in vain, at most; it doubles up to [`PULL_PAUSE_MAX`].
pub const PULL_PAUSE_FIRST: Duration = Duration::from_millis(500);
/// See [`PULL_PAUSE_FIRST`]. Viewers wait no longer than `play_wait`, so it is short.
pub const PULL_PAUSE_MAX: Duration = Duration::from_secs(5);
/// A pull that waits is asked again by another route at most so often.
pub const PULL_REROUTE_MIN: Duration = Duration::from_millis(250);
/// Streams that one shard pulls at one time. Each is a connection of ours, and whoever plays names that do
/// not exist shall not have all our descriptors.
pub const PULLS_MAX: usize = 4096;

/// `[[helper]]` tables. Each is looked through whenever a stream comes or goes.
pub const HELPERS_MAX: usize = 64;
/// Streams of a family for which one helper may run: each is a process, which viewers may cause.
pub const HELPER_INSTANCES_MAX: usize = 256;
/// Arguments of a helper. A ladder of renditions has about a hundred.
pub const HELPER_ARGUMENTS_MAX: usize = 1024;
/// Bytes of a helper's arguments and environment before anything is filled in: with that, they go into
/// one order, far below what the kernel takes.
pub const HELPER_ARGUMENT_BYTES_MAX: usize = 32 * 1024;
/// Streams that one helper publishes: `{output}` to `{output9}`.
pub const HELPER_OUTPUTS_MAX: usize = 9;
/// The longest time a helper may take to stop. The server's own end waits for it.
pub const HELPER_PATIENCE_MAX: Duration = Duration::from_secs(60);
/// Lines that are kept of one helper's output.
pub const HELPER_LOG_LINES_MAX: usize = 1000;
/// Bytes that are kept of one such line.
pub const HELPER_LINE_BYTES_MAX: usize = 500;
/// The pause after a helper's output filled a whole buffer: one that writes without end takes 6 MB/s of
/// the supervisor's time and no more, and is held up itself.
pub const HELPER_LOG_PAUSE: Duration = Duration::from_millis(10);
/// From the start of a guardian to its first word. A machine that swaps is slow; a program that is no
/// guardian never says it.
pub const HELPER_HELLO_MAX: Duration = Duration::from_secs(20);
/// What a guardian gets beyond the helper's own patience before it is no longer waited for.
pub const HELPER_FAREWELL: Duration = Duration::from_secs(5);
/// What supervisor and guardian say to each other in one line, in bytes.
pub const HELPER_ORDER_BYTES_MAX: usize = 1024 * 1024;
