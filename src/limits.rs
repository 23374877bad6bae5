//! Fixed bounds of the server, each with its reason. What an operator may turn is in
//! [`crate::config`]; bounds of a wire format stand in the crate that reads it.

use std::time::Duration;

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

/// Header lines in a request.
pub const HTTP_HEADERS_MAX: usize = 64;

/// Streams that get series of their own in the metrics; beyond, only the totals count them.
/// Every label value costs the scraper memory for days.
pub const METRICS_STREAMS_MAX: usize = 500;

/// Streams shown on the status page; the API lists them all.
pub const PAGE_STREAMS_MAX: usize = 500;

const _: () = assert!(HTTP_HEAD_MAX >= 8192, "hyper wants at least 8 KiB");
