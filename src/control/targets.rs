//! `/api/v1/targets`: who is pushed where. Reading is like all reading here; adding and removing want the
//! token that was printed at start, even where looking wants none.
//!
//! ```text
//!   GET    /api/v1/targets        all targets, with how each of their streams fares
//!   POST   /api/v1/targets        adds one: {"stream", "url", "key", "name", "ca"}; 201 and its id
//!   DELETE /api/v1/targets/ID     takes one away; 204
//! ```

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;

use super::ControlState;
use super::failure::Failure;
use crate::config::Push;
use crate::outbound::{Source, TargetError, TargetSnapshot};

/// The answer to who asks.
#[derive(Debug, Serialize)]
pub(super) struct List {
    targets: Vec<TargetSnapshot>,
}

/// All targets, by number.
pub(super) async fn list(State(state): State<Arc<ControlState>>) -> Json<List> {
    Json(List { targets: state.targets.snapshots() })
}

/// Adds a target.
pub(super) async fn add(State(state): State<Arc<ControlState>>, body: Bytes) -> Response {
    // Not the extractor: it would want a header that people leave out, and word its refusals otherwise.
    let said: Push = match serde_json::from_slice(&body) {
        Ok(said) => said,
        Err(error) => return refused(StatusCode::BAD_REQUEST, "bad_target", &error.to_string()),
    };
    match state.targets.add(&said, Source::Api) {
        Ok(id) => (StatusCode::CREATED, Json(json!({ "id": id }))).into_response(),
        Err(error) => {
            let (status, code) = match error {
                TargetError::Rule(_) => (StatusCode::BAD_REQUEST, "bad_target"),
                TargetError::Trust(_) | TargetError::NoCaFile => {
                    (StatusCode::BAD_REQUEST, "bad_ca")
                }
                TargetError::TooMany => (StatusCode::CONFLICT, "too_many"),
                TargetError::Busy => (StatusCode::SERVICE_UNAVAILABLE, "busy"),
            };
            refused(status, code, &error.to_string())
        }
    }
}

/// Takes a target away.
pub(super) async fn remove(
    State(state): State<Arc<ControlState>>,
    Path(id): Path<String>,
    uri: Uri,
) -> Response {
    match id.parse() {
        Ok(id) if state.targets.remove(id) => StatusCode::NO_CONTENT.into_response(),
        _ => Failure::NotFound.answer(uri.path()),
    }
}

fn refused(status: StatusCode, code: &str, message: &str) -> Response {
    (status, Json(json!({ "error": { "code": code, "message": message } }))).into_response()
}
