//! `/api/v1/helpers`: what the helper processes do, and orders to them. Orders want the token, as all
//! changes do. The shapes are those of [`crate::helper`].
//!
//! ```text
//!   GET  /api/v1/helpers                               all helpers, their states and last words
//!   POST /api/v1/helpers/HELPER/restart                for all streams that it is for; 204
//!   POST /api/v1/helpers/HELPER/stop                   likewise
//!   POST /api/v1/helpers/HELPER/APP/NAME/restart       for one stream
//! ```

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::ControlState;
use super::failure::Failure;
use crate::helper::{Command, Handle, HelperSnapshot};
use crate::name::StreamName;

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

/// An order for all streams of a helper.
pub(super) async fn order(
    State(state): State<Arc<ControlState>>,
    Path((helper, order)): Path<(String, String)>,
    uri: Uri,
) -> Response {
    give(&state, &helper, None, &order, &uri)
}

/// An order for one stream of a helper.
pub(super) async fn order_one(
    State(state): State<Arc<ControlState>>,
    Path((helper, app, name, order)): Path<(String, String, String, String)>,
    uri: Uri,
) -> Response {
    match StreamName::new(app, name) {
        Ok(stream) => give(&state, &helper, Some(&stream), &order, &uri),
        Err(_) => Failure::NotFound.answer(uri.path()),
    }
}

fn give(
    state: &ControlState,
    helper: &str,
    stream: Option<&StreamName>,
    order: &str,
    uri: &Uri,
) -> Response {
    let command = match order {
        "restart" => Command::Restart,
        "stop" => Command::Stop,
        _ => return Failure::NotFound.answer(uri.path()),
    };
    match state.helpers.as_ref().map(|helpers| helpers.order(helper, stream, command)) {
        Some(Ok(())) => StatusCode::NO_CONTENT.into_response(),
        // There is no such helper, or it has no such stream.
        Some(Err(_)) | None => Failure::NotFound.answer(uri.path()),
    }
}
