//! What every request must be before it is looked at, and what every answer carries.
//!
//! The danger is a browser on this machine that shows somebody else's page. That page may send
//! requests here, and by DNS rebinding may even count as of our origin under a name of its own.
//! So without a token only addresses and known names are accepted as `Host` (rebinding needs a
//! name), and requests that a foreign page caused are refused, but for following a link to the
//! status page. No answer ever permits another origin to read it. What changes something wants a token,
//! see `auth`.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, HOST, ORIGIN, REFERRER_POLICY,
    TRANSFER_ENCODING, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use axum::middleware::Next;
use axum::response::Response;

use super::auth::Access;
use super::failure::Failure;
use super::{About, ControlState};

/// Lets a request pass that is addressed to us, comes from us or from no page at all, and has a body
/// only where one is read. The authority that it speaks to is left in its extensions as [`CalledAs`].
pub(super) async fn check(
    State(state): State<Arc<ControlState>>,
    mut request: Request,
    next: Next,
) -> Response {
    match judge(&state, request.method(), request.uri(), request.headers()) {
        Ok(called_as) => {
            request.extensions_mut().insert(called_as);
            next.run(request).await
        }
        Err(failure) => failure.answer(request.uri().path()),
    }
}

/// How the client calls this server: what it typed before the first slash.
#[derive(Debug, Clone)]
pub(super) struct CalledAs(pub(super) Authority);

fn judge(
    state: &ControlState,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<CalledAs, Failure> {
    let called_as = called_as(uri, headers).ok_or(Failure::NoHost)?;
    // Probes of orchestrators call by names of their own, and `/healthz` says nothing but that.
    let guarded = matches!(state.access, Access::Open) && uri.path() != "/healthz";
    if guarded && !is_own_host(called_as.host(), &state.about) {
        return Err(Failure::ForeignHost);
    }
    let is_own_origin = |origin: &HeaderValue| is_origin_of(origin.as_bytes(), &called_as);
    if !headers.get_all(ORIGIN).iter().all(is_own_origin) || is_cross_site(uri, headers) {
        return Err(Failure::ForeignOrigin);
    }
    let empty = |length: &HeaderValue| length.as_bytes() == b"0";
    // How long it may be is looked at while it is read.
    let takes_body = *method == Method::POST && uri.path() == "/api/v1/targets";
    let has_body = headers.contains_key(TRANSFER_ENCODING)
        || !headers.get_all(CONTENT_LENGTH).iter().all(empty);
    if has_body && !takes_body {
        return Err(Failure::Body);
    }
    Ok(CalledAs(called_as))
}

fn called_as(uri: &Uri, headers: &HeaderMap) -> Option<Authority> {
    let mut hosts = headers.get_all(HOST).iter();
    let host = Authority::try_from(hosts.next()?.as_bytes()).ok()?;
    let single = hosts.next().is_none() && !host.as_str().contains('@');
    // An absolute request target must say the same (RFC 9112, section 3.2.2).
    let agrees = uri.authority().is_none_or(|target| *target == host);
    (single && agrees).then_some(host)
}

fn is_own_host(host: &str, about: &About) -> bool {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    bare.parse::<IpAddr>().is_ok()
        || host.eq_ignore_ascii_case("localhost")
        || about.hosts.iter().any(|known| known.eq_ignore_ascii_case(host))
}

/// Either scheme will do: behind a proxy that ends TLS, the page is of `https`.
fn is_origin_of(origin: &[u8], called_as: &Authority) -> bool {
    let host =
        [&b"http://"[..], b"https://"].iter().find_map(|scheme| origin.strip_prefix(*scheme));
    host.is_some_and(|host| host.eq_ignore_ascii_case(called_as.as_str().as_bytes()))
}

/// Whether the browser says (Fetch Metadata) that a page of another site is behind this request.
/// Following a link to the status page is allowed; reading or embedding anything is not.
fn is_cross_site(uri: &Uri, headers: &HeaderMap) -> bool {
    let value = |name: &str| headers.get(name).map(HeaderValue::as_bytes);
    let site = value("sec-fetch-site");
    if matches!(site, None | Some(b"same-origin" | b"none")) {
        return false;
    }
    let follows_link = value("sec-fetch-mode") == Some(b"navigate")
        && value("sec-fetch-dest") == Some(b"document");
    !(uri.path() == "/" && follows_link)
}

/// Adds to every answer what keeps browsers from guessing, framing, storing and sharing it.
pub(super) async fn add_headers(request: Request, next: Next) -> Response {
    const COMMON: [(HeaderName, &str); 6] = [
        (CACHE_CONTROL, "no-store"),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in COMMON {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // The page brings its own, with its nonce.
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(
        "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    ));
    response
}
