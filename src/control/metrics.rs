//! `/metrics`: the counters in the OpenMetrics text format, which Prometheus scrapes.
//!
//! Nothing is kept between scrapes: a collector reads the atomics each time. Names and labels are
//! public interface. Labels are `shard`, `reason` (a closed list), `stream`, for at most
//! [`METRICS_STREAMS_MAX`] streams, those with the most viewers, and `target` and
//! `helper`, for at most as many.

use std::fmt;
use std::sync::Arc;

use axum::extract::State;
use axum::http::Uri;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, MetricEncoder};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

use super::ControlState;
use super::failure::Failure;
use super::helpers;
use crate::helper::{InstanceSnapshot, State as HelperState};
use crate::limits::METRICS_STREAMS_MAX;
use crate::outbound::PushSnapshot;
use crate::stats::snapshot::{ShardSnapshot, StreamSnapshot};
use crate::stats::{PullSnapshot, PullState};

const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Answers a scrape.
pub(super) async fn show(State(state): State<Arc<ControlState>>, uri: Uri) -> Response {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Scrape::take(&state)));
    let mut text = String::new();
    match encode(&mut text, &registry) {
        Ok(()) => ([(CONTENT_TYPE, OPENMETRICS)], text).into_response(),
        Err(fmt::Error) => Failure::Internal.answer(uri.path()),
    }
}

/// One metric: its name without `millstream_`, what it says, its type, and where it is read.
type Metric<T> = (&'static str, &'static str, MetricType, fn(&T) -> u64);

use MetricType::{Counter, Gauge};

const SHARD_METRICS: &[Metric<ShardSnapshot>] = &[
    ("accepted_connections", "Connections accepted", Counter, |s| s.accepted),
    ("connections", "Connections open", Gauge, |s| s.connections),
    ("publishers", "Connections that publish", Gauge, |s| s.publishers),
    ("players", "Connections that play", Gauge, |s| s.players),
    ("waiting_players", "Players waiting for a stream nobody publishes", Gauge, |s| s.waiting),
    ("parked_players", "Players whose sockets are full", Gauge, |s| s.parked),
    ("reads", "Reads that brought something", Counter, |s| s.reads),
    ("received_bytes", "Bytes received", Counter, |s| s.bytes_in),
    ("sent_bytes", "Bytes sent", Counter, |s| s.bytes_out),
    ("sends", "Send calls", Counter, |s| s.sends),
    ("short_sends", "Send calls that took less than they were given", Counter, |s| s.short_sends),
    ("received_frames", "Audio and video frames received", Counter, |s| s.frames_in),
    ("dropped_frames", "Frames skipped, summed over viewers", Counter, |s| s.dropped_frames),
    ("dropped_bytes", "Bytes skipped, summed over viewers", Counter, |s| s.dropped_bytes),
    ("skips", "Skips of lagging viewers to a newer key frame", Counter, |s| s.skips),
    ("hang_ups", "Viewers hung up for their lag", Counter, |s| s.hang_ups),
    ("passes", "Fan-out passes", Counter, |s| s.passes),
    ("wakes", "Wakes sent to other shards", Counter, |s| s.wakes),
    ("inbox_full", "Messages that found a shard's inbox full", Counter, |s| s.inbox_full),
    ("panics", "Panics contained", Counter, |s| s.panics),
    ("busy_permille", "Busy share of the last second, in thousandths", Gauge, |s| s.busy_permille),
    ("pacing_window_milliseconds", "Pacing window", Gauge, |s| s.pacing_window_ms),
    ("loop_lag_microseconds", "Delay of timers behind their time", Gauge, |s| s.loop_lag_us),
];

const STREAM_METRICS: &[Metric<StreamSnapshot>] = &[
    ("stream_viewers", "Viewers", Gauge, |s| s.viewers),
    ("stream_joined_viewers", "Viewers that ever joined", Counter, |s| s.viewers_joined),
    ("stream_bitrate_bits_per_second", "Estimate of the incoming rate", Gauge, |s| s.bitrate),
    ("stream_received_bytes", "Bytes of media received", Counter, |s| s.bytes_in),
    ("stream_sent_bytes", "Bytes sent to viewers", Counter, |s| s.bytes_out),
    ("stream_received_frames", "Audio and video frames received", Counter, |s| s.frames_in),
    ("stream_received_keyframes", "Video key frames received", Counter, |s| s.keyframes_in),
    ("stream_timeline_repairs", "Timestamp jumps repaired", Counter, |s| s.timeline_repairs),
    ("stream_log_bytes", "Bytes kept for joining and lagging viewers", Gauge, |s| s.log_bytes),
    ("stream_dropped_frames", "Frames skipped, summed over viewers", Counter, |s| s.dropped_frames),
    ("stream_dropped_bytes", "Bytes skipped, summed over viewers", Counter, |s| s.dropped_bytes),
    ("stream_skips", "Skips to a newer key frame", Counter, |s| s.skips),
    ("stream_hang_ups", "Viewers hung up for their lag", Counter, |s| s.hang_ups),
    ("stream_generation", "Publishers that there have been", Gauge, |s| s.generation),
    ("stream_waiting_publishers", "Publishers that wait", Gauge, |s| s.waiting_publishers),
];

const PULL_METRICS: &[Metric<PullSnapshot>] = &[
    ("pull_live", "Whether an origin feeds the stream", Gauge, |p| {
        u64::from(p.info.state == PullState::Pulling)
    }),
    ("pull_received_bytes", "Bytes of media and data from origins", Counter, |p| p.bytes_in),
    ("pull_attempts", "Origins asked", Counter, |p| p.attempts),
    ("pull_reconnects", "Times that an origin fed it anew", Counter, |p| p.reconnects),
];

const TARGET_METRICS: &[Metric<(u64, PushSnapshot)>] = &[
    ("target_publishing", "1 while media flows", Gauge, |t| {
        u64::from(t.1.status.state == "publishing")
    }),
    ("target_sent_bytes", "Bytes sent", Counter, |t| t.1.status.bytes_out),
    ("target_dropped_frames", "Frames skipped", Counter, |t| t.1.status.dropped_frames),
    ("target_dropped_bytes", "Bytes skipped", Counter, |t| t.1.status.dropped_bytes),
    ("target_skips", "Skips to a newer key frame", Counter, |t| t.1.status.skips),
    ("target_attempts", "Attempts to connect", Counter, |t| t.1.status.attempts),
    ("target_connects", "Connections that were accepted", Counter, |t| t.1.status.connects),
];

const HELPER_METRICS: &[Metric<(String, InstanceSnapshot)>] = &[
    ("helper_running", "1 while the program runs", Gauge, |h| {
        u64::from(h.1.state == HelperState::Running)
    }),
    ("helper_starts", "Starts of the program", Counter, |h| h.1.starts),
];

/// The counters at the moment of one scrape.
#[derive(Debug)]
struct Scrape {
    driver: String,
    uptime_s: u64,
    shards: Vec<ShardSnapshot>,
    /// Those with series of their own.
    streams: Vec<StreamSnapshot>,
    streams_total: usize,
    /// Those with series of their own, too.
    pulls: Vec<PullSnapshot>,
    pulls_total: usize,
    /// Streams on their way to targets, with the target's number.
    pushes: Vec<(u64, PushSnapshot)>,
    /// Helpers by name, with the streams that they are for.
    helpers: Vec<(String, InstanceSnapshot)>,
}

impl Scrape {
    fn take(state: &ControlState) -> Self {
        let mut pulls = state.directory.pull_snapshots();
        let pulls_total = pulls.len();
        pulls.truncate(METRICS_STREAMS_MAX);
        let mut streams = state.directory.stream_snapshots();
        let streams_total = streams.len();
        if streams_total > METRICS_STREAMS_MAX {
            streams.sort_by_key(|stream| std::cmp::Reverse(stream.viewers));
            streams.truncate(METRICS_STREAMS_MAX);
        }
        let targets = state.targets.snapshots().into_iter();
        let pushes =
            targets.flat_map(|target| target.pushes.into_iter().map(move |push| (target.id, push)));
        let pushes = pushes.take(METRICS_STREAMS_MAX).collect();
        let helpers = helpers::snapshots(state).into_iter().flat_map(|helper| {
            let name = helper.name;
            helper.instances.into_iter().map(move |instance| (name.clone(), instance))
        });
        Scrape {
            driver: state.about.driver.clone(),
            uptime_s: state.started.elapsed().as_secs(),
            shards: state.directory.shard_snapshots(),
            streams,
            streams_total,
            pulls,
            pulls_total,
            pushes,
            helpers: helpers.take(METRICS_STREAMS_MAX).collect(),
        }
    }

    fn single(
        encoder: &mut DescriptorEncoder<'_>,
        (name, help, value): (&str, &str, usize),
    ) -> fmt::Result {
        let name = format!("millstream_{name}");
        let mut metric = encoder.encode_descriptor(&name, help, None, Gauge)?;
        write(&mut metric, Gauge, value as u64)
    }
}

impl Collector for Scrape {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let version = env!("CARGO_PKG_VERSION");
        let labels = [("version", version), ("driver", self.driver.as_str())];
        encoder
            .encode_descriptor("millstream_build", "What is running", None, MetricType::Info)?
            .encode_info(&labels)?;
        let uptime = usize::try_from(self.uptime_s).unwrap_or(usize::MAX);
        Self::single(&mut encoder, ("uptime_seconds", "Time since the start", uptime))?;
        Self::single(&mut encoder, ("streams", "Streams known", self.streams_total))?;
        let unlisted = self.streams_total - self.streams.len();
        let help = "Streams without series of their own, being too many";
        Self::single(&mut encoder, ("unlisted_streams", help, unlisted))?;

        let shard = |shard: &ShardSnapshot| [("shard", shard.shard.to_string())];
        families(&mut encoder, SHARD_METRICS, &self.shards, shard)?;
        let stream = |stream: &StreamSnapshot| [("stream", stream.name.to_string())];
        families(&mut encoder, STREAM_METRICS, &self.streams, stream)?;
        let push = |(target, push): &(u64, PushSnapshot)| {
            [("target", target.to_string()), ("stream", push.stream.to_string())]
        };
        families(&mut encoder, TARGET_METRICS, &self.pushes, push)?;
        let helper = |(helper, instance): &(String, InstanceSnapshot)| {
            [("helper", helper.clone()), ("stream", instance.stream.to_string())]
        };
        families(&mut encoder, HELPER_METRICS, &self.helpers, helper)?;

        let help = "Streams that are fetched from other servers";
        Self::single(&mut encoder, ("pulls", help, self.pulls_total))?;
        let pull = |pull: &PullSnapshot| [("stream", pull.stream.to_string())];
        families(&mut encoder, PULL_METRICS, &self.pulls, pull)?;

        let help = "Connections turned away or closed for cause";
        let mut refused = encoder.encode_descriptor("millstream_refused", help, None, Counter)?;
        for shard in &self.shards {
            for (&reason, &count) in &shard.refused {
                let labels = [("shard", shard.shard.to_string()), ("reason", reason.to_owned())];
                write(&mut refused.encode_family(&labels)?, Counter, count)?;
            }
        }
        Ok(())
    }
}

/// Writes each metric with one series per item.
fn families<T, L: EncodeLabelSet>(
    encoder: &mut DescriptorEncoder<'_>,
    metrics: &[Metric<T>],
    items: &[T],
    labels: impl Fn(&T) -> L,
) -> fmt::Result {
    for &(name, help, kind, read) in metrics {
        let name = format!("millstream_{name}");
        let mut metric = encoder.encode_descriptor(&name, help, None, kind)?;
        for item in items {
            write(&mut metric.encode_family(&labels(item))?, kind, read(item))?;
        }
    }
    Ok(())
}

fn write(metric: &mut MetricEncoder<'_>, kind: MetricType, value: u64) -> fmt::Result {
    match kind {
        Counter => metric.encode_counter::<[(&str, &str); 0], _, u64>(&value, None),
        _ => metric.encode_gauge(&value),
    }
}
