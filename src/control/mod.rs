//! The HTTP side: status page, metrics, API and health check, on one thread of its own.
//!
//! It reads counters and never touches media; the shards do not know that it exists. It is given
//! a [`ControlState`] and nothing else, so tests feed it made-up numbers. What must act on streams does
//! so by messages to the shards: targets are added and removed at [`Targets`], which sends them.
//!
//! - `server`: the thread, the listener, the life of a connection.
//! - `guard`, `auth`: who may ask: hosts, origins, bodies, tokens; and the headers of every answer.
//! - `page`, `api`, `metrics`: the answers; `targets`: what can be changed, too.

mod api;
mod auth;
mod failure;
mod guard;
mod helpers;
mod metrics;
mod page;
mod server;
mod targets;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{delete, get, post};

pub use auth::{Access, make_token};
pub use server::{Control, ControlError, start};

use crate::config::Secret;
use crate::helper;
use crate::limits::HTTP_BODY_MAX;
use crate::outbound::Targets;
use crate::stats::Directory;

/// What the HTTP side knows.
#[derive(Debug)]
pub struct ControlState {
    /// The counters.
    pub directory: Arc<Directory>,
    /// Who is pushed where.
    pub targets: Arc<Targets>,
    /// What does not change while the server runs.
    pub about: About,
    /// Who may look.
    pub access: Access,
    /// The way to the helpers, if there are any.
    pub helpers: Option<helper::Handle>,
    /// The token that changes want where looking wants none. Without one nothing can be changed there.
    pub writes: Option<Secret>,
    /// When the server started.
    pub started: Instant,
}

/// What does not change while the server runs, for the page and the metrics.
#[derive(Debug, Clone)]
pub struct About {
    /// The I/O driver, `io_uring` or `epoll`.
    pub driver: String,
    /// The latency budget, as configured.
    pub latency_budget: String,
    /// The RTMP addresses that are open.
    pub rtmp: Vec<SocketAddr>,
    /// Whether publishers need a key.
    pub keyed: bool,
    /// Names by which the server may be called besides `localhost` and addresses; see
    /// [`crate::config::Config::http_hosts`].
    pub hosts: Vec<String>,
}

/// Every path, behind the guards.
fn router(state: Arc<ControlState>) -> Router {
    let guarded = Router::new()
        .route("/", get(page::show))
        .route("/metrics", get(metrics::show))
        .route("/api/v1/streams", get(api::streams))
        .route("/api/v1/shards", get(api::shards))
        .route("/api/v1/helpers", get(helpers::show))
        .route("/api/v1/helpers/{helper}/{order}", post(helpers::order))
        .route("/api/v1/helpers/{helper}/{app}/{name}/{order}", post(helpers::order_one))
        .route("/api/v1/pulls", get(api::pulls))
        .route("/api/v1/targets", get(targets::list).post(targets::add))
        .route("/api/v1/targets/{id}", delete(targets::remove))
        .layer(DefaultBodyLimit::max(HTTP_BODY_MAX))
        .fallback(failure::not_found)
        .method_not_allowed_fallback(failure::wrong_method)
        .layer(from_fn_with_state(Arc::clone(&state), auth::check));
    Router::new()
        .route("/healthz", get(healthz).fallback(failure::wrong_method))
        .merge(guarded)
        .layer(from_fn_with_state(Arc::clone(&state), guard::check))
        .layer(from_fn(guard::add_headers))
        .with_state(state)
}

/// Says that this thread answers. Open to all, for it tells nothing else.
async fn healthz() -> &'static str {
    "ok\n"
}

#[cfg(test)]
mod tests;
