//! A peer made of messages, and answers written down in one line each.

use bytes::Bytes;
use millstream_amf0::{Object, Value};
use millstream_rtmp::command::Command;
use millstream_rtmp::control::{Control, UserControl};
use millstream_rtmp::message::{Message, MessageType};
use millstream_rtmp::server::{ServerEvent, ServerOptions, ServerSession};
use millstream_rtmp::session::SessionError;

/// A server session and the peer's end of it.
pub struct Peer {
    pub session: ServerSession,
}

impl Peer {
    pub fn new() -> Self {
        Self::with(&ServerOptions::default())
    }

    pub fn with(options: &ServerOptions) -> Self {
        Self { session: ServerSession::new(options) }
    }

    /// A peer whose `connect` was accepted, its answers read.
    pub fn connected() -> Self {
        let mut peer = Self::new();
        let object = Object::new().with("app", "live").with("tcUrl", "rtmp://host/live");
        let Some(ServerEvent::Connect(connect)) = peer.call(0, "connect", 1.0, [object.into()])
        else {
            panic!("connect is reported");
        };
        peer.session.accept_connect(connect.request).unwrap();
        peer.answers();
        peer
    }

    /// A peer that publishes `cam` on message stream 1, its answers read.
    pub fn publishing() -> Self {
        let mut peer = Self::connected();
        peer.call(0, "createStream", 2.0, [Value::Null]);
        let publish = [Value::Null, "cam".into(), "live".into()];
        let Some(ServerEvent::Publish(publish)) = peer.call(1, "publish", 3.0, publish) else {
            panic!("publish is reported");
        };
        peer.session.accept_publish(publish.request).unwrap();
        peer.answers();
        peer
    }

    /// A peer that plays `cam` on message stream 1, its answers read.
    pub fn playing() -> Self {
        let mut peer = Self::connected();
        peer.call(0, "createStream", 2.0, [Value::Null]);
        let Some(ServerEvent::Play(play)) = peer.call(1, "play", 3.0, [Value::Null, "cam".into()])
        else {
            panic!("play is reported");
        };
        peer.session.accept_play(play.request).unwrap();
        peer.answers();
        peer
    }

    /// Sends a command whose arguments include the command object; at most one event comes of it.
    pub fn call<const N: usize>(
        &mut self,
        stream_id: u32,
        name: &str,
        transaction: f64,
        arguments: [Value; N],
    ) -> Option<ServerEvent> {
        let message = command(stream_id, name, transaction, arguments);
        self.send(message).expect("the session tolerates this")
    }

    /// Sends a message; at most one event comes of it.
    pub fn send(&mut self, message: Message) -> Result<Option<ServerEvent>, SessionError> {
        self.session.receive(message)?;
        let event = self.session.next_event();
        assert_eq!(self.session.next_event(), None, "one event per message");
        Ok(event)
    }

    /// All answers not read yet, one line each.
    pub fn answers(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.session.next_message()).map(|message| line(&message)).collect()
    }
}

/// A command message as an encoder builds it.
pub fn command<const N: usize>(
    stream_id: u32,
    name: &str,
    transaction: f64,
    arguments: [Value; N],
) -> Message {
    let name = name.to_owned();
    Command { stream_id, name, transaction, arguments: arguments.into() }.encode().unwrap()
}

pub fn media(kind: MessageType, stream_id: u32, timestamp: u32, payload: &[u8]) -> Message {
    let payload = Bytes::copy_from_slice(payload);
    Message { chunk_stream_id: 4, timestamp, kind, stream_id, payload }
}

pub fn data(stream_id: u32, values: &[Value]) -> Message {
    let mut payload = bytes::BytesMut::new();
    millstream_amf0::encode_all(values, &mut payload).unwrap();
    media(MessageType::DATA_AMF0, stream_id, 0, &payload)
}

pub fn user(control: UserControl) -> Message {
    Control::User(control).encode()
}

/// One message, written down: `<stream> <command> <transaction> <code or value>` or the control's
/// debug form.
pub fn line(message: &Message) -> String {
    match message.kind {
        MessageType::COMMAND_AMF0 => {
            let command = Command::decode(message).unwrap();
            let last = command.arguments.last().unwrap_or(&Value::Undefined);
            let told = match last.as_object() {
                Some(object) => object.get_str("code").unwrap_or("{}").to_owned(),
                None => match last {
                    Value::Number(number) => number.to_string(),
                    other => format!("{other:?}"),
                },
            };
            format!("{} {} {} {told}", command.stream_id, command.name, command.transaction)
        }
        MessageType::DATA_AMF0 => {
            let values = millstream_amf0::decode_all(&message.payload).unwrap();
            let told = values[1].as_object().and_then(|object| object.get_str("code"));
            let told = told.map(|code| format!(" {code}")).unwrap_or_default();
            format!("{} data {}{told}", message.stream_id, values[0].as_str().unwrap())
        }
        _ => match Control::decode(message).unwrap() {
            Some(Control::User(user)) => format!("{user:?}"),
            Some(control) => format!("{control:?}"),
            None => format!("type {}", message.kind.0),
        },
    }
}
