//! `connect`: its command object read, and the answers to it (RTMP 1.0, section 7.2.1.1;
//! Enhanced RTMP v2, "Enhancing NetConnection connect Command").

use crate::command::Command;
use crate::limits::{FOUR_CC_MAX, NAME_BYTES_MAX};
use crate::session::{RequestId, SessionError, app_of_url, split_query};
use millstream_amf0::{Object, Value};

/// All capability flags: reconnect, multitrack, ModEx and nanosecond timestamps. A server that
/// relays tags without parsing them has the last three for nothing.
pub const CAPS_EX_ALL: u32 = 0x0f;

/// The flag of a codec that can be forwarded (`FourCcInfoMask.CanForward`).
pub const CAN_FORWARD: u32 = 0x04;

/// `connect` as the peer sent it. Texts that were not sent are empty.
#[derive(Clone, Debug, PartialEq)]
pub struct Connect {
    /// To be used in the answer.
    pub request: RequestId,
    /// The application without query and outer slashes: from `app` or, where that is absent, the
    /// path of `tcUrl`. Unchecked.
    pub app: String,
    /// What followed the first `?` of `app` or else of `tcUrl`.
    pub app_query: Option<String>,
    /// The URL the peer connected to, as sent.
    pub tc_url: String,
    /// The peer's program, as it calls itself: `FMLE/3.0 (compatible; FMSc/1.0)`.
    pub flash_ver: String,
    /// The URL of the player.
    pub swf_url: String,
    /// The URL of the page around the player.
    pub page_url: String,
    /// 0 or 3. The answer is 0 always; envelopes of AMF3 are understood all the same.
    pub object_encoding: f64,
    /// Codecs as Enhanced RTMP v1 lists them; `*` is any.
    pub four_cc_list: Vec<String>,
    /// Video codecs and their flags as Enhanced RTMP v2 lists them.
    pub video_four_cc: Vec<(String, u32)>,
    /// Audio codecs and their flags as Enhanced RTMP v2 lists them.
    pub audio_four_cc: Vec<(String, u32)>,
    /// The capability flags (`CapsExMask`).
    pub caps_ex: u32,
    /// The whole command object.
    pub properties: Object,
    /// What followed the command object, such as a password.
    pub arguments: Vec<Value>,
}

impl Connect {
    /// Reads the command. A peer without a command object gets an empty application.
    pub(super) fn read(request: RequestId, command: Command) -> Result<Self, SessionError> {
        let mut arguments = command.arguments.into_iter();
        let properties = match arguments.next() {
            Some(
                Value::Object(object)
                | Value::EcmaArray(object)
                | Value::TypedObject { properties: object, .. },
            ) => object,
            _ => Object::default(),
        };
        let text = |name: &str| properties.get_str(name).unwrap_or_default().to_owned();
        let tc_url = text("tcUrl");
        let app_as_sent = properties.get_str("app").unwrap_or_default();
        for name in [app_as_sent, &tc_url] {
            if name.len() > NAME_BYTES_MAX {
                return Err(SessionError::NameTooLong { bytes: name.len() });
            }
        }
        let (app, query) = split_query(app_as_sent);
        let (url_app, url_query) = app_of_url(&tc_url);
        // srs-bench sends no app at all; some encoders put the query into tcUrl only.
        let app = if app.is_empty() { url_app } else { app };
        Ok(Self {
            request,
            app: app.to_owned(),
            app_query: query.or(url_query).map(str::to_owned),
            flash_ver: text("flashVer"),
            swf_url: text("swfUrl"),
            page_url: text("pageUrl"),
            object_encoding: properties.get_number("objectEncoding").unwrap_or(0.0),
            four_cc_list: four_cc_list(properties.get("fourCcList")),
            video_four_cc: four_cc_map(properties.get("videoFourCcInfoMap")),
            audio_four_cc: four_cc_map(properties.get("audioFourCcInfoMap")),
            caps_ex: properties.get_number("capsEx").unwrap_or(0.0) as u32,
            tc_url,
            properties,
            arguments: arguments.collect(),
        })
    }
}

fn four_cc_list(value: Option<&Value>) -> Vec<String> {
    let Some(Value::StrictArray(values)) = value else {
        return Vec::new();
    };
    values.iter().take(FOUR_CC_MAX).filter_map(|value| value.as_str().map(str::to_owned)).collect()
}

fn four_cc_map(value: Option<&Value>) -> Vec<(String, u32)> {
    let entries = value.and_then(Value::as_object).into_iter().flat_map(Object::iter);
    entries
        .take(FOUR_CC_MAX)
        .map(|(name, value)| (name.to_owned(), value.as_number().unwrap_or(0.0) as u32))
        .collect()
}

/// The two objects of a positive answer: the server's properties, and the information object.
pub(super) fn accepted(fms_ver: &str, caps_ex: u32) -> [Value; 2] {
    let any = || Object::new().with("*", CAN_FORWARD);
    let properties = Object::new()
        .with("fmsVer", fms_ver)
        .with("capabilities", 31.0)
        .with("mode", 1.0)
        .with("fourCcList", Value::StrictArray(vec!["*".into()]))
        .with("videoFourCcInfoMap", any())
        .with("audioFourCcInfoMap", any())
        .with("capsEx", caps_ex);
    let information = Object::new()
        .with("level", "status")
        .with("code", "NetConnection.Connect.Success")
        .with("description", "Connection succeeded.")
        .with("objectEncoding", 0.0);
    [properties.into(), information.into()]
}
