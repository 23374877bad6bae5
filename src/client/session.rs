//! A connection of a command: made by its options, and watched by the flag of the signals.

use super::error::ClientError;
use crate::cli::ConnectArgs;
use millstream_client::blocking::{Connection, Settings, Times, connect};
use millstream_client::tls::Trust;
use millstream_client::{Aim, Error, Event, Options, RtmpUrl, StreamId};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How often the flag of the signals is looked at.
pub(super) const GLANCE: Duration = Duration::from_millis(100);

/// Connects; the handshakes follow by themselves.
pub(super) fn open(
    url: &RtmpUrl,
    options: Options,
    args: &ConnectArgs,
) -> Result<Connection, ClientError> {
    let mut settings = Settings { options, ..Settings::new(url) };
    if let Some(file) = &args.ca {
        let trust = Trust { extra_roots: Some(file.clone()), only_extra: false };
        settings.tls = Some(trust.config()?);
    }
    if let Some(flash_ver) = &args.flash_ver {
        settings.options = settings.options.with_flash_ver(flash_ver);
    }
    Ok(connect(url, settings)?)
}

/// Waits for the answer to a publish or play. False if `stop` was set meanwhile.
pub(super) fn accepted(
    connection: &mut Connection,
    stream: StreamId,
    aim: Aim,
    stop: &AtomicBool,
) -> Result<bool, ClientError> {
    let (since, at_most) = (Instant::now(), Times::default().answer);
    while !stop.load(Ordering::Relaxed) {
        match connection.next(GLANCE)? {
            Some(Event::Publishing(id) | Event::Playing(id)) if id == stream => return Ok(true),
            Some(event) => check(event, aim)?,
            None if since.elapsed() > at_most => {
                return Err(Error::Silent { aim, waited: at_most }.into());
            }
            None => {}
        }
    }
    Ok(false)
}

/// Whether an event ends what was wanted, at any time.
pub(super) fn check(event: Event, aim: Aim) -> Result<(), ClientError> {
    match event {
        Event::Refused(refusal) => Err(Error::Refused(refusal).into()),
        Event::Closed => Err(Error::Closed { aim }.into()),
        _ => Ok(()),
    }
}
