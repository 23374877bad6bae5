//! Names as encoders write them: queries and slashes split off `app`, `tcUrl` and stream names.
//!
//! Nothing is decoded or judged here; which names are allowed is the caller's decision.

/// Splits at the first `?` and strips slashes from both ends of the name.
///
/// Encoders put an extra slash where the user typed `rtmp://host/live/` as the server's URL.
/// A `?` with nothing behind it is no query.
pub(crate) fn split_query(text: &str) -> (&str, Option<&str>) {
    let (name, query) = match text.split_once('?') {
        Some((name, query)) => (name, (!query.is_empty()).then_some(query)),
        None => (text, None),
    };
    (name.trim_matches('/'), query)
}

/// The application in a `tcUrl`: its whole path, and its query.
pub(crate) fn app_of_url(url: &str) -> (&str, Option<&str>) {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    // The authority ends at the path or, when there is none, at the query.
    let path = after_scheme.find(['/', '?']).map_or("", |at| &after_scheme[at..]);
    split_query(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_and_slashes_come_off() {
        assert_eq!(split_query("live"), ("live", None));
        assert_eq!(split_query("live/"), ("live", None));
        assert_eq!(split_query("/live//?a=b?c"), ("live", Some("a=b?c")));
        assert_eq!(split_query("?key=1"), ("", Some("key=1")));
        assert_eq!(split_query("cam?"), ("cam", None));
        assert_eq!(split_query("live/instance"), ("live/instance", None));
    }

    #[test]
    fn the_app_is_the_path_of_the_url() {
        assert_eq!(app_of_url("rtmp://host:1935/live"), ("live", None));
        assert_eq!(app_of_url("rtmp://host/live/?t=/x"), ("live", Some("t=/x")));
        assert_eq!(app_of_url("rtmp://[::1]:1935/a/b"), ("a/b", None));
        assert_eq!(app_of_url("rtmp://host"), ("", None));
        assert_eq!(app_of_url("rtmp://host?x=1"), ("", Some("x=1")));
        assert_eq!(app_of_url(""), ("", None));
    }
}
