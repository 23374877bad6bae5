//! Copies a stream from one server to another on tokio, and comes back when either fails:
//! `restream URL URL`. The second URL may be an `rtmps` one.

use futures_io::{AsyncRead, AsyncWrite};
use millstream_client::tls::{Trust, connect_tls};
use millstream_client::{
    Backoff, Connection, Decision, Failure, Options, PlayOptions, PublishMode, RtmpUrl, Trial,
    reconnecting,
};
use std::error::Error;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::compat::TokioAsyncReadCompatExt;

type Failed = Box<dyn Error>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failed> {
    let mut args = std::env::args().skip(1);
    let (Some(from), Some(to)) = (args.next(), args.next()) else {
        return Err("usage: restream rtmp://FROM/APP/NAME rtmp://TO/APP/NAME".into());
    };
    let (from, to) = (RtmpUrl::parse(&from)?, RtmpUrl::parse(&to)?);
    let (first, max) = (Duration::from_secs(1), Duration::from_secs(30));
    let mut backoff = Backoff::new(first, max, std::process::id().into()).with_attempts_max(10);
    let began = Instant::now();
    reconnecting(
        async |trial| copy(&from, &to, trial).await,
        |failure: &Failure<Failed>| {
            if failure.was_established {
                backoff.reset();
            }
            eprintln!("{}", failure.error);
            Decision::from(backoff.next(failure.elapsed))
        },
        || began.elapsed(),
        tokio::time::sleep,
    )
    .await
}

/// A socket of any kind.
trait Socket: AsyncRead + AsyncWrite + Unpin {}
impl<T: AsyncRead + AsyncWrite + Unpin> Socket for T {}

async fn connect(url: &RtmpUrl) -> Result<Connection<Box<dyn Socket>>, Failed> {
    let tcp = TcpStream::connect((url.host(), url.port())).await?;
    tcp.set_nodelay(true)?;
    let socket: Box<dyn Socket> = if url.is_tls() {
        Box::new(connect_tls(tcp.compat(), url, Trust::default().config()?).await?)
    } else {
        Box::new(tcp.compat())
    };
    Ok(Connection::connect(socket, Options::new(url)).await?)
}

async fn copy(from: &RtmpUrl, to: &RtmpUrl, trial: &mut Trial) -> Result<(), Failed> {
    let patience = Duration::from_secs(15);
    let mut source = timeout(patience, connect(from)).await??;
    let (remote, driver) = timeout(patience, connect(to)).await??.split();
    source.play(&from.name(), PlayOptions::default()).await?;
    let name = to.name();
    driver
        .beside(async move {
            let publisher = timeout(patience, remote.publish(&name, PublishMode::Live)).await??;
            trial.established();
            loop {
                let event = source.next().await?;
                if let Some(tag) = event.into_tag() {
                    publisher.tag(tag)?;
                }
            }
        })
        .await
}
