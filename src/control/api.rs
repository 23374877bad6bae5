//! `/api/v1`: the counters as JSON. The shapes are those of [`crate::stats::snapshot`]; within
//! `v1` fields may be added, never changed or taken away.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use super::ControlState;
use crate::stats::PullSnapshot;
use crate::stats::snapshot::{ShardSnapshot, StreamSnapshot};

/// The answer of `/api/v1/streams`.
#[derive(Debug, Serialize)]
pub(super) struct Streams {
    streams: Vec<StreamSnapshot>,
}

/// The answer of `/api/v1/pulls`.
#[derive(Debug, Serialize)]
pub(super) struct Pulls {
    pulls: Vec<PullSnapshot>,
}

/// The answer of `/api/v1/shards`.
#[derive(Debug, Serialize)]
pub(super) struct Shards {
    version: &'static str,
    driver: String,
    latency_budget: String,
    uptime_s: u64,
    shards: Vec<ShardSnapshot>,
}

/// All streams, by name.
pub(super) async fn streams(State(state): State<Arc<ControlState>>) -> Json<Streams> {
    Json(Streams { streams: state.directory.stream_snapshots() })
}

/// All streams that are fetched from other servers.
pub(super) async fn pulls(State(state): State<Arc<ControlState>>) -> Json<Pulls> {
    Json(Pulls { pulls: state.directory.pull_snapshots() })
}

/// All shards, and what they run on.
pub(super) async fn shards(State(state): State<Arc<ControlState>>) -> Json<Shards> {
    Json(Shards {
        version: env!("CARGO_PKG_VERSION"),
        driver: state.about.driver.clone(),
        latency_budget: state.about.latency_budget.clone(),
        uptime_s: state.started.elapsed().as_secs(),
        shards: state.directory.shard_snapshots(),
    })
}
