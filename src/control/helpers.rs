//! `/api/v1/helpers`: what the helper processes do. The shapes are those of [`crate::helper`].

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use super::ControlState;
use crate::helper::{Handle, HelperSnapshot};

/// The answer of `/api/v1/helpers`.
#[derive(Debug, Serialize)]
pub(super) struct Helpers {
    helpers: Vec<HelperSnapshot>,
}

/// All helpers, in the order of the configuration.
pub(super) async fn show(State(state): State<Arc<ControlState>>) -> Json<Helpers> {
    Json(Helpers { helpers: snapshots(&state) })
}

/// All helpers; none if there is no supervisor.
pub(super) fn snapshots(state: &ControlState) -> Vec<HelperSnapshot> {
    state.helpers.as_ref().map(Handle::snapshots).unwrap_or_default()
}
