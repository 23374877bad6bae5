//! Answers that are no answers: one small page, or JSON below `/api`.

use axum::Json;
use axum::http::header::{ALLOW, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::response::{Html, IntoResponse, Response};
use serde_json::json;

/// Why a request is not answered. Each has its status, a code for programs, and a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// There is nothing at this path.
    NotFound,
    /// Most paths are for reading.
    WrongMethod,
    /// The token is missing or wrong.
    Unauthorized,
    /// The request does not say to whom it speaks, or says it in two voices.
    NoHost,
    /// It speaks to a name that is not ours: a sign of DNS rebinding.
    ForeignHost,
    /// A page of another origin asks.
    ForeignOrigin,
    /// This path takes no body.
    Body,
    /// The server could not do it.
    Internal,
}

impl Failure {
    fn parts(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Failure::NotFound => {
                (StatusCode::NOT_FOUND, "not_found", "There is nothing at this address.")
            }
            Failure::WrongMethod => (
                StatusCode::METHOD_NOT_ALLOWED,
                "wrong_method",
                "This address is not asked by that method.",
            ),
            Failure::Unauthorized => (
                StatusCode::UNAUTHORIZED,
                "unauthorized",
                "Give the token that was printed at start: as a bearer token, or as the password with any user name.",
            ),
            Failure::NoHost => (
                StatusCode::BAD_REQUEST,
                "no_host",
                "The request has no single, valid Host header.",
            ),
            Failure::ForeignHost => (
                StatusCode::MISDIRECTED_REQUEST,
                "foreign_host",
                "This server does not go by that name. If it should, add the name to http_hosts.",
            ),
            Failure::ForeignOrigin => (
                StatusCode::FORBIDDEN,
                "foreign_origin",
                "Pages of other origins may not read from this server.",
            ),
            Failure::Body => {
                (StatusCode::PAYLOAD_TOO_LARGE, "body", "Requests to this address have no body.")
            }
            Failure::Internal => {
                (StatusCode::INTERNAL_SERVER_ERROR, "internal", "The server failed to answer.")
            }
        }
    }

    /// The answer, in the form that whoever asks at this path expects.
    pub(super) fn answer(self, path: &str) -> Response {
        let (status, code, message) = self.parts();
        let mut response = if path == "/api" || path.starts_with("/api/") {
            let body = json!({ "error": { "code": code, "message": message } });
            (status, Json(body)).into_response()
        } else {
            (status, Html(page(status, message))).into_response()
        };
        match self {
            Failure::Unauthorized => {
                let challenge = "Basic realm=\"millstream\", charset=\"UTF-8\"";
                let headers = response.headers_mut();
                headers.append(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
                headers.append(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            Failure::WrongMethod => {
                let allowed = match path {
                    "/api/v1/targets" => "GET, HEAD, POST",
                    _ if path.starts_with("/api/v1/targets/") => "DELETE",
                    _ if path.starts_with("/api/v1/helpers/") => "POST",
                    _ => "GET, HEAD",
                };
                response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
            }
            _ => {}
        }
        response
    }
}

/// The answer to a path that does not exist.
pub(super) async fn not_found(uri: Uri) -> Response {
    Failure::NotFound.answer(uri.path())
}

/// The answer to a method that a path has not.
pub(super) async fn wrong_method(uri: Uri) -> Response {
    Failure::WrongMethod.answer(uri.path())
}

fn page(status: StatusCode, message: &str) -> String {
    let reason = status.canonical_reason().unwrap_or_default();
    format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"color-scheme\" content=\"light dark\">\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <title>{0} {reason}</title>\n<h1>{0} {reason}</h1>\n<p>{message}</p>\n\
         <p><a href=\"/\">Status page</a></p>\n</html>\n",
        status.as_u16()
    )
}
