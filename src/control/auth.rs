//! The token of the HTTP side. Publishing keys are another matter: [`crate::config::Keys`].

use std::fs::File;
use std::io::{self, Read as _};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::Method;
use axum::http::header::AUTHORIZATION;
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::ControlState;
use super::failure::Failure;
use crate::config::{Bind, Config, Secret};

/// What can be changed.
const CHANGED: [&str; 2] = ["/api/v1/targets", "/api/v1/helpers"];

/// Who may look at the page, the metrics and the API.
#[derive(Debug)]
pub enum Access {
    /// Whoever reaches the address, which is on loopback.
    Open,
    /// Who shows this token: `Authorization: Bearer TOKEN`, or as the password of HTTP Basic
    /// with any user name, so that a browser can ask for it.
    Token(Secret),
}

impl Access {
    /// Decides who may look: whoever has the configured token; else, away from loopback, whoever
    /// has one that is made up here; else everyone. One that is made up must be shown to the operator,
    /// which is why it is given back apart. On loopback it is for changes alone.
    pub fn choose(config: &Config, bind: &Bind) -> io::Result<(Access, Option<Secret>)> {
        match &config.http_token {
            Some(token) => Ok((Access::Token(token.clone()), None)),
            None => {
                let token = make_token()?;
                let exposed = bind.http_is_exposed();
                let access = if exposed { Access::Token(token.clone()) } else { Access::Open };
                Ok((access, Some(token)))
            }
        }
    }
}

/// A new token: 128 random bits in hexadecimal.
pub fn make_token() -> io::Result<Secret> {
    Ok(Secret::new(random_hex()?))
}

/// 128 bits from the kernel's generator, in hexadecimal.
pub(super) fn random_hex() -> io::Result<String> {
    let mut bytes = [0; 16];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}

/// Lets requests with the token pass, and those that only look where looking wants none.
pub(super) async fn check(
    State(state): State<Arc<ControlState>>,
    request: Request,
    next: Next,
) -> Response {
    let changes = matches!(*request.method(), Method::POST | Method::PUT | Method::DELETE);
    let wanted = match &state.access {
        // Where nothing can be changed, the answer is that, and not that a token is missing.
        Access::Open if !changes || !is_changed(request.uri().path()) => None,
        Access::Open => Some(state.writes.as_ref()),
        Access::Token(token) => Some(Some(token)),
    };
    let allowed = wanted.is_none_or(|token| {
        let mut given = request.headers().get_all(AUTHORIZATION).iter();
        token.is_some_and(|token| given.any(|header| shows(header.as_bytes(), token)))
    });
    if allowed {
        next.run(request).await
    } else {
        Failure::Unauthorized.answer(request.uri().path())
    }
}

fn is_changed(path: &str) -> bool {
    CHANGED.iter().any(|changed| path.starts_with(changed))
}

/// Whether the value of an `Authorization` header (RFC 7617, RFC 6750) holds the token.
fn shows(header: &[u8], token: &Secret) -> bool {
    let Some(space) = header.iter().position(|&byte| byte == b' ') else { return false };
    let (scheme, credentials) = (&header[..space], header[space..].trim_ascii());
    if scheme.eq_ignore_ascii_case(b"bearer") {
        return token.matches(credentials);
    }
    if scheme.eq_ignore_ascii_case(b"basic") {
        let Ok(pair) = STANDARD.decode(credentials) else { return false };
        let colon = pair.iter().position(|&byte| byte == b':');
        return colon.is_some_and(|colon| token.matches(&pair[colon + 1..]));
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_schemes_show_the_token() {
        let token = Secret::new("0123456789abcdef");
        let basic = |pair: &str| format!("Basic {}", STANDARD.encode(pair));
        for good in [
            "Bearer 0123456789abcdef".to_owned(),
            "bearer   0123456789abcdef".to_owned(),
            basic("admin:0123456789abcdef"),
            basic(":0123456789abcdef"),
        ] {
            assert!(shows(good.as_bytes(), &token), "{good}");
        }
        for bad in [
            String::new(),
            "0123456789abcdef".to_owned(),
            "Bearer".to_owned(),
            "Bearer 0123456789abcdeF".to_owned(),
            "Digest 0123456789abcdef".to_owned(),
            "Basic ***".to_owned(),
            basic("0123456789abcdef"),
            basic("0123456789abcdef:"),
            basic("a:0123456789abcdef:b"),
        ] {
            assert!(!shows(bad.as_bytes(), &token), "{bad}");
        }
    }

    #[test]
    fn a_token_is_wanted_if_set_or_away_from_loopback() {
        let choose = |http: &str, token: Option<&str>| {
            let http = http.parse().unwrap();
            let config = Config { http_token: token.map(Secret::new), ..Config::default() };
            Access::choose(&config, &Bind { rtmp: Vec::new(), http }).unwrap()
        };
        assert!(matches!(choose("127.0.0.1:80", None), (Access::Open, Some(_))));
        assert!(matches!(choose("[::1]:80", Some("t")), (Access::Token(_), None)));
        assert!(matches!(choose("0.0.0.0:80", Some("t")), (Access::Token(_), None)));
        match choose("0.0.0.0:80", None) {
            (Access::Token(token), Some(fresh)) => assert_eq!(token, fresh),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn tokens_are_long_and_differ() {
        let (one, two) = (make_token().unwrap(), make_token().unwrap());
        assert_eq!(one.reveal().len(), 32);
        assert_ne!(one, two);
    }
}
