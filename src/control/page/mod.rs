//! `/`: the status page, rendered here whole, so that it works without scripts. A small script
//! fetches it again every two seconds and carries over what changed; nothing is loaded from
//! elsewhere. The look is in `style.css`.

mod format;
mod helpers;
mod pulls;
mod tables;
mod targets;

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::extract::State;
use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::response::{Html, IntoResponse, Response};
use axum::{Extension, http::uri::Authority};

use super::auth::random_hex;
use super::failure::Failure;
use super::guard::CalledAs;
use super::{About, ControlState};
use crate::config::{DEFAULT_APP, RTMP_PORT};
use crate::helper::HelperSnapshot;
use crate::outbound::TargetSnapshot;
use crate::stats::snapshot::{ShardSnapshot, StreamSnapshot};
use crate::stats::{PullSnapshot, State as StreamState};
use format::{Text, bitrate, bytes, count, span};

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// Answers with the page. Style and script are allowed by a nonce of this answer alone.
pub(super) async fn show(
    State(state): State<Arc<ControlState>>,
    Extension(CalledAs(authority)): Extension<CalledAs>,
) -> Response {
    let Ok(nonce) = random_hex() else { return Failure::Internal.answer("/") };
    let policy = format!(
        "default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; \
         connect-src 'self'; img-src data:; frame-ancestors 'none'; base-uri 'none'; \
         form-action 'none'"
    );
    let page = Page {
        streams: state.directory.stream_snapshots(),
        shards: state.directory.shard_snapshots(),
        pulls: state.directory.pull_snapshots(),
        targets: state.targets.snapshots(),
        helpers: super::helpers::snapshots(&state),
        about: &state.about,
        uptime_s: state.started.elapsed().as_secs(),
        now_unix_ms: now_unix_ms(),
        rtmp_base: rtmp_base(&state.about.rtmp, &authority),
    };
    ([(CONTENT_SECURITY_POLICY, policy)], Html(page.render(&nonce))).into_response()
}

/// What the page shows.
struct Page<'a> {
    streams: Vec<StreamSnapshot>,
    shards: Vec<ShardSnapshot>,
    pulls: Vec<PullSnapshot>,
    targets: Vec<TargetSnapshot>,
    helpers: Vec<HelperSnapshot>,
    about: &'a About,
    uptime_s: u64,
    now_unix_ms: u64,
    /// `rtmp://host[:port]` as the reader of the page can use it.
    rtmp_base: Option<String>,
}

impl Page<'_> {
    fn render(&self, nonce: &str) -> String {
        let mut html = String::with_capacity(8192);
        self.write(&mut html, nonce).expect("writing to a string cannot fail");
        html
    }

    fn write(&self, html: &mut String, nonce: &str) -> std::fmt::Result {
        write!(
            html,
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n\
             <noscript><meta http-equiv=\"refresh\" content=\"5\"></noscript>\n\
             <title>millstream</title>\n<link rel=\"icon\" href=\"data:,\">\n\
             <style nonce=\"{nonce}\">\n{STYLE}</style>\n</head>\n<body>\n"
        )?;
        write!(
            html,
            "<header><h1>millstream</h1><p id=\"about\">{} \u{b7} {} \u{b7} latency budget {} \
             \u{b7} up {}</p><p id=\"stale\" role=\"status\" hidden>The server does not \
             answer; these figures are old.</p></header>\n<main id=\"numbers\">\n",
            env!("CARGO_PKG_VERSION"),
            Text(&self.about.driver),
            Text(&self.about.latency_budget),
            span(self.uptime_s),
        )?;
        self.write_tiles(html)?;
        self.write_streams(html)?;
        self.write_pulls(html)?;
        self.write_targets(html)?;
        self.write_helpers(html)?;
        self.write_shards(html)?;
        write!(
            html,
            "</main>\n<footer>Also here: <a href=\"/api/v1/streams\">streams</a>, \
             <a href=\"/api/v1/shards\">shards</a>, \
             <a href=\"/api/v1/targets\">targets</a>, \
             <a href=\"/api/v1/pulls\">pulls</a> and \
             <a href=\"/api/v1/helpers\">helpers</a> as JSON, \
             <a href=\"/metrics\">metrics</a> for Prometheus, \
             <a href=\"/healthz\">health check</a>.</footer>\n\
             <script nonce=\"{nonce}\">\n{SCRIPT}</script>\n</body>\n</html>\n"
        )
    }

    fn write_tiles(&self, html: &mut String) -> std::fmt::Result {
        let live = self.streams.iter().filter(|stream| stream.info.state == StreamState::Live);
        let sum = |read: fn(&ShardSnapshot) -> u64| self.shards.iter().map(read).sum::<u64>();
        let incoming = self.streams.iter().map(|stream| stream.bitrate).sum();
        let load = self.shards.iter().map(|shard| shard.busy_permille).max().unwrap_or(0);
        let tiles = [
            ("Live streams", count(live.count() as u64)),
            ("Viewers", count(sum(|shard| shard.players))),
            ("Coming in", bitrate(incoming)),
            ("Sent", bytes(sum(|shard| shard.bytes_out))),
            ("Frames dropped", count(sum(|shard| shard.dropped_frames))),
            ("Busiest shard", percent(load)),
        ];
        html.push_str("<dl class=\"tiles\">");
        for (label, value) in tiles {
            write!(html, "<div><dt>{label}</dt><dd>{value}</dd></div>")?;
        }
        html.push_str("</dl>\n");
        Ok(())
    }

    /// What to do while there is no stream.
    fn write_invitation(&self, html: &mut String) -> std::fmt::Result {
        let Some(base) = &self.rtmp_base else {
            return html.write_str("<p>No streams, and no RTMP address is open.</p>");
        };
        let base = Text(base);
        let key = if self.about.keyed { "?key=SECRET" } else { "" };
        write!(
            html,
            "<p>No streams yet. Publish to <code>{base}/{DEFAULT_APP}/NAME{key}</code></p>\
             <p class=\"soft\">In OBS: server <code>{base}/{DEFAULT_APP}</code>, stream key \
             <code>NAME{key}</code>. Play from <code>{base}/{DEFAULT_APP}/NAME</code>.</p>"
        )
    }
}

/// Thousandths as a percentage.
fn percent(permille: u64) -> String {
    format!("{}.{} %", permille / 10, permille % 10)
}

fn now_unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// The RTMP address to show: one that can be reached by the name under which the page was called,
/// if there is any, for that one surely works from where the reader sits.
fn rtmp_base(rtmp: &[SocketAddr], called_as: &Authority) -> Option<String> {
    let host = called_as.host();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let same_ip = bare.parse::<IpAddr>().ok();
    let wildcard = rtmp.iter().find(|addr| addr.ip().is_unspecified());
    let same = rtmp.iter().find(|addr| Some(addr.ip()) == same_ip);
    let (host, port) = match same.or(wildcard) {
        Some(addr) => (host.to_owned(), addr.port()),
        None => {
            let addr = rtmp.first()?;
            (
                SocketAddr::new(addr.ip(), 0).to_string().trim_end_matches(":0").to_owned(),
                addr.port(),
            )
        }
    };
    Some(if port == RTMP_PORT { format!("rtmp://{host}") } else { format!("rtmp://{host}:{port}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_play_address_is_one_that_the_reader_can_reach() {
        let base = |rtmp: &[&str], called: &str| {
            let rtmp: Vec<_> = rtmp.iter().map(|addr| addr.parse().unwrap()).collect();
            rtmp_base(&rtmp, &called.parse().unwrap())
        };
        assert_eq!(base(&["127.0.0.1:1935", "[::1]:1935"], "[::1]:8080").unwrap(), "rtmp://[::1]");
        assert_eq!(base(&["127.0.0.1:1936"], "localhost:8080").unwrap(), "rtmp://127.0.0.1:1936");
        assert_eq!(base(&["0.0.0.0:1935"], "example.org:8080").unwrap(), "rtmp://example.org");
        assert_eq!(base(&["[::1]:1935"], "localhost").unwrap(), "rtmp://[::1]");
        assert_eq!(base(&[], "localhost"), None);
    }
}
