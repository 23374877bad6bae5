//! What the server's commands mean: answers by transaction id, statuses by message stream.

use super::streams::{Aim, Stage};
use super::{
    ClientEvent, ClientSession, ConnectRefused, Connected, Phase, Reconnect, Refused,
    ServerCommand, Status,
};
use crate::command::Command;
use crate::session::{Level, RequestId};
use millstream_amf0::{Object, Value};

impl ClientSession {
    pub(super) fn command(&mut self, command: Command) -> Option<ClientEvent> {
        match command.name.as_str() {
            "_result" | "_error" if self.phase == Phase::Connecting => self.connected(command),
            "_result" | "_error" if self.answers_call(&command) => Some(unknown(command)),
            "_result" => self.created(&command),
            "_error" => self.refused(&command),
            "onStatus" => self.status(&command),
            "close" => {
                self.phase = Phase::Closed;
                Some(ClientEvent::Closed)
            }
            // Notices that tell nothing new, and a bandwidth check that nobody insists on.
            "onFCPublish" | "onFCUnpublish" | "onFCSubscribe" | "onFCUnsubscribe" | "onBWDone" => {
                None
            }
            _ => Some(unknown(command)),
        }
    }

    /// Whether a command of the caller's own waited for this answer; it does no longer.
    fn answers_call(&mut self, command: &Command) -> bool {
        let answered = |sent: &u32| f64::from(*sent) == command.transaction;
        let at = self.calls.iter().position(answered);
        at.and_then(|at| self.calls.remove(at)).is_some()
    }

    /// The answer to `connect`, whose transaction id is 1.
    fn connected(&mut self, command: Command) -> Option<ClientEvent> {
        if command.transaction != 1.0 {
            return None;
        }
        let object = |index| command.object(index).cloned().unwrap_or_default();
        if command.name == "_error" {
            self.phase = Phase::Closed;
            // Some servers send the information object first.
            let information = if command.object(1).is_some() { object(1) } else { object(0) };
            let extra = information.get("ex").and_then(Value::as_object);
            let redirect = extra.and_then(|extra| extra.get_str("redirect")).map(str::to_owned);
            let (code, description) = told(&information);
            let refused = ConnectRefused { code, description, redirect };
            return Some(ClientEvent::ConnectRefused(Box::new(refused)));
        }
        self.phase = Phase::Connected;
        let (properties, information) = (object(0), object(1));
        let caps_ex = properties.get_number("capsEx").or_else(|| information.get_number("capsEx"));
        for request in self.streams.waiting() {
            if self.create(request).is_err() {
                let refused = self.refuse_name(request);
                self.events.extend(refused);
            }
        }
        let caps_ex = caps_ex.unwrap_or(0.0) as u32;
        Some(ClientEvent::Connected(Box::new(Connected { properties, information, caps_ex })))
    }

    /// The answer to `createStream`; answers to anything else are nobody's.
    fn created(&mut self, command: &Command) -> Option<ClientEvent> {
        let request = self.creating(command.transaction)?;
        let id = command.argument(1).as_number().unwrap_or(0.0);
        if id < 1.0 || id > f64::from(u32::MAX) || id.fract() != 0.0 {
            let code = "NetConnection.Call.Failed".to_owned();
            let description = "The server gave no message stream.".to_owned();
            return self.refuse(request, code, description);
        }
        match self.start(request, id as u32) {
            Ok(()) => None,
            Err(_) => self.refuse_name(request),
        }
    }

    /// `_error` for `createStream`, or for `publish` and `play` of servers that answer these by
    /// transaction id.
    fn refused(&mut self, command: &Command) -> Option<ClientEvent> {
        let asked = |stage: Stage| match stage {
            Stage::Asked { transaction, .. } => f64::from(transaction) == command.transaction,
            _ => false,
        };
        let request = self.creating(command.transaction).or_else(|| {
            self.streams.find(|stream| asked(stream.stage)).map(|stream| stream.request)
        })?;
        let information = command.object(1).cloned().unwrap_or_default();
        let (code, description) = told(&information);
        self.refuse(request, code, description)
    }

    fn status(&mut self, command: &Command) -> Option<ClientEvent> {
        let empty = Object::default();
        let information = command.object(1).unwrap_or(&empty);
        let (code, description) = told(information);
        if code == "NetConnection.Connect.ReconnectRequest" {
            let tc_url = information.get_str("tcUrl").map(str::to_owned);
            return Some(ClientEvent::Reconnect(Box::new(Reconnect { tc_url, description })));
        }
        let level = match information.get_str("level") {
            Some("error") => Level::Error,
            Some("warning") => Level::Warning,
            _ => Level::Status,
        };
        if let Some(stream) = self.streams.asked(command.stream_id) {
            let request = stream.request;
            if level == Level::Error {
                return self.refuse(request, code, description);
            }
            if let Stage::Asked { stream_id, .. } = stream.stage {
                let running = Stage::Running { stream_id };
                match (stream.aim, code.as_str()) {
                    (Aim::Publish(_), "NetStream.Publish.Start") => {
                        stream.stage = running;
                        return Some(ClientEvent::Publishing { request, stream_id });
                    }
                    (Aim::Play(_), "NetStream.Play.Start") => {
                        stream.stage = running;
                        return Some(ClientEvent::Playing { request, stream_id });
                    }
                    _ => {}
                }
            }
        }
        let stream_id = command.stream_id;
        Some(ClientEvent::Status(Box::new(Status { stream_id, level, code, description })))
    }

    fn creating(&mut self, transaction: f64) -> Option<RequestId> {
        let creating = |stage: Stage| match stage {
            Stage::Creating { transaction: sent } => f64::from(sent) == transaction,
            _ => false,
        };
        self.streams.find(|stream| creating(stream.stage)).map(|stream| stream.request)
    }

    /// The stream's name is too long for a command: only the caller can have given it.
    fn refuse_name(&mut self, request: RequestId) -> Option<ClientEvent> {
        let description = "The name cannot be encoded.".to_owned();
        self.refuse(request, "NetConnection.Call.Failed".to_owned(), description)
    }

    fn refuse(
        &mut self,
        request: RequestId,
        code: String,
        description: String,
    ) -> Option<ClientEvent> {
        self.streams.remove(request)?;
        Some(ClientEvent::Refused(Box::new(Refused { request, code, description })))
    }
}

fn unknown(command: Command) -> ClientEvent {
    ClientEvent::Command(Box::new(ServerCommand {
        stream_id: command.stream_id,
        name: command.name,
        transaction: command.transaction,
        arguments: command.arguments,
    }))
}

/// Code and description of an information object.
fn told(information: &Object) -> (String, String) {
    let text = |name: &str| information.get_str(name).unwrap_or_default().to_owned();
    (text("code"), text("description"))
}
