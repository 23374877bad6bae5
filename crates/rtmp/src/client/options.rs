//! What a client says of itself.

use crate::chunk::ChunkLimits;
use crate::handshake::Style;
use crate::limits::{ACKNOWLEDGEMENT_WINDOW, DATA_BYTES_MAX};
use millstream_amf0::{Object, Value};
use std::fmt;

/// Settings of one client connection.
#[derive(Clone)]
pub struct ClientOptions {
    /// The application, with its query if it has one.
    pub app: String,
    /// The URL of the server and the application.
    pub tc_url: String,
    /// The program, as it calls itself.
    pub flash_ver: String,
    /// The URL of the player; left out when empty.
    pub swf_url: String,
    /// The URL of the page; left out when empty.
    pub page_url: String,
    /// Whether to say what Flash players said of themselves (`fpad`, `capabilities`, `audioCodecs`,
    /// `videoCodecs`, `videoFunction`). Encoders leave it out.
    pub as_player: bool,
    /// Codecs to announce (Enhanced RTMP v1); left out when empty.
    pub four_cc_list: Vec<String>,
    /// Capability flags to announce (Enhanced RTMP v2); left out when 0.
    pub caps_ex: u32,
    /// Further properties of the command object; they replace those above of the same name.
    pub properties: Object,
    /// What follows the command object, such as a password.
    pub arguments: Vec<Value>,
    /// Bytes per chunk of what is sent, announced before `connect`.
    pub chunk_size: u32,
    /// After how many bytes the server shall acknowledge, announced before the first `play`; the
    /// server's bytes are acknowledged in this window until it names its own.
    pub window_ack_size: u32,
    /// Bytes of one data message.
    pub data_bytes_max: u32,
    /// Limits of the chunk layer.
    pub chunk_limits: ChunkLimits,
    /// Which handshake to open with.
    pub handshake: Style,
}

impl ClientOptions {
    /// Options with OBS's self-description, for an application at a URL.
    pub fn new(app: impl Into<String>, tc_url: impl Into<String>) -> Self {
        Self {
            app: app.into(),
            tc_url: tc_url.into(),
            flash_ver: "FMLE/3.0 (compatible; FMSc/1.0)".to_owned(),
            swf_url: String::new(),
            page_url: String::new(),
            as_player: true,
            four_cc_list: vec!["*".to_owned()],
            caps_ex: 0,
            properties: Object::default(),
            arguments: Vec::new(),
            chunk_size: 4096,
            window_ack_size: ACKNOWLEDGEMENT_WINDOW,
            data_bytes_max: DATA_BYTES_MAX as u32,
            chunk_limits: ChunkLimits::default(),
            handshake: Style::Simple,
        }
    }

    /// Options and the stream's name for a whole URL such as `rtmp://host/app/name?key=value`:
    /// the last segment and the query are the name, what stands before them is the application.
    /// Nothing when there is no host or no application.
    pub fn for_url(url: &str) -> Option<(Self, String)> {
        let (scheme, rest) = url.split_once("://")?;
        let path_end = rest.find('?').unwrap_or(rest.len());
        let (host, path) = rest[..path_end].split_once('/')?;
        let (app, name) = path.rsplit_once('/')?;
        if host.is_empty() || app.is_empty() {
            return None;
        }
        let name = format!("{name}{}", &rest[path_end..]);
        Some((Self::new(app, format!("{scheme}://{host}/{app}")), name))
    }

    /// The command object of `connect`.
    pub(super) fn command_object(&self) -> Object {
        let mut object = Object::new()
            .with("app", self.app.as_str())
            .with("type", "nonprivate")
            .with("flashVer", self.flash_ver.as_str());
        if !self.swf_url.is_empty() {
            object.insert("swfUrl", self.swf_url.as_str());
        }
        object.insert("tcUrl", self.tc_url.as_str());
        if self.as_player {
            object.insert("fpad", false);
            object.insert("capabilities", 239.0);
            object.insert("audioCodecs", 3575.0);
            object.insert("videoCodecs", 252.0);
            object.insert("videoFunction", 1.0);
        }
        if !self.page_url.is_empty() {
            object.insert("pageUrl", self.page_url.as_str());
        }
        if !self.four_cc_list.is_empty() {
            let list = self.four_cc_list.iter().map(|codec| codec.as_str().into()).collect();
            object.insert("fourCcList", Value::StrictArray(list));
        }
        if self.caps_ex != 0 {
            object.insert("capsEx", self.caps_ex);
        }
        for (name, value) in self.properties.iter() {
            object.insert(name, value.clone());
        }
        object
    }
}

/// Queries are cut off, and what an application added is counted: keys and passwords stand there.
impl fmt::Debug for ClientOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = |text: &str| text.split('?').next().unwrap_or_default().to_owned();
        f.debug_struct("ClientOptions")
            .field("app", &place(&self.app))
            .field("tc_url", &place(&self.tc_url))
            .field("flash_ver", &self.flash_ver)
            .field("properties", &self.properties.iter().count())
            .field("arguments", &self.arguments.len())
            .field("chunk_size", &self.chunk_size)
            .field("window_ack_size", &self.window_ack_size)
            .field("handshake", &self.handshake)
            .finish_non_exhaustive()
    }
}

/// How to play a stream.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlayOptions {
    /// Where to begin: -2 live or else recorded, -1 live only, otherwise seconds.
    pub start: f64,
    /// How long, in seconds; -1 to the end.
    pub duration: f64,
    /// Flush the playlist.
    pub reset: bool,
    /// How much we buffer, milliseconds.
    pub buffer_ms: u32,
}

impl Default for PlayOptions {
    fn default() -> Self {
        Self { start: -2.0, duration: -1.0, reset: true, buffer_ms: 3000 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_secret_is_not_shown() {
        let mut options = ClientOptions::new("live?key=s3cret", "rtmp://h/live?key=s3cret");
        options.arguments.push("s3cret".into());
        options.properties.insert("pass", "s3cret");
        let shown = format!("{options:?} {options:#?}");
        assert!(shown.contains("rtmp://h/live") && !shown.contains("s3cret"), "{shown}");
    }

    #[test]
    fn urls_come_apart() {
        let (options, name) = ClientOptions::for_url("rtmp://host:1935/live/cam?key=a/b").unwrap();
        assert_eq!((options.app.as_str(), name.as_str()), ("live", "cam?key=a/b"));
        assert_eq!(options.tc_url, "rtmp://host:1935/live");
        let (options, name) = ClientOptions::for_url("rtmps://host/app/instance/").unwrap();
        assert_eq!((options.app.as_str(), name.as_str()), ("app/instance", ""));
        for url in [
            "host/app/name",
            "rtmp://host",
            "rtmp://host/name",
            "rtmp:///app/name",
            "rtmp://host?/a/b",
        ] {
            assert!(ClientOptions::for_url(url).is_none(), "{url}");
        }
    }
}
