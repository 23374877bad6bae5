//! The thread, the listener and the life of a connection. What is answered is not decided here.

use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::thread::JoinHandle;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::{sleep, timeout};

use super::{ControlState, router};
use crate::limits::{
    HTTP_CONNECTION_LIFE, HTTP_CONNECTIONS_MAX, HTTP_HEAD_MAX, HTTP_HEADER_TIMEOUT,
    HTTP_HEADERS_MAX, HTTP_LAST_ANSWER,
};

/// The running HTTP side. Dropping it lets it run on; [`Control::shutdown`] ends it.
#[derive(Debug)]
pub struct Control {
    addr: SocketAddr,
    stop: watch::Sender<bool>,
    thread: JoinHandle<()>,
}

/// Why the HTTP side did not start.
#[derive(Debug)]
pub enum ControlError {
    /// The address cannot be listened on.
    Bind {
        /// The address.
        addr: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The thread or its event loop could not be made.
    Thread(io::Error),
}

impl fmt::Display for ControlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ControlError::Bind { addr, source } if source.kind() == io::ErrorKind::AddrInUse => {
                write!(f, "{addr} is taken by another program; choose another address with --http")
            }
            ControlError::Bind { addr, source } => {
                write!(f, "cannot serve HTTP on {addr}: {source}")
            }
            ControlError::Thread(source) => write!(f, "cannot start the control thread: {source}"),
        }
    }
}

impl std::error::Error for ControlError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            ControlError::Bind { source, .. } | ControlError::Thread(source) => Some(source),
        }
    }
}

/// Opens the address and serves on a thread named `control`. When this returns, connections are
/// being accepted.
pub fn start(addr: SocketAddr, state: Arc<ControlState>) -> Result<Control, ControlError> {
    let listen = || {
        let listener = std::net::TcpListener::bind(addr)?;
        listener.set_nonblocking(true)?;
        let addr = listener.local_addr()?;
        Ok((listener, addr))
    };
    let (listener, addr) = listen().map_err(|source| ControlError::Bind { addr, source })?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()
        .map_err(ControlError::Thread)?;
    let listener = {
        let _context = runtime.enter();
        TcpListener::from_std(listener).map_err(ControlError::Thread)?
    };
    let (stop, stopped) = watch::channel(false);
    let thread = std::thread::Builder::new()
        .name("control".into())
        .spawn(move || runtime.block_on(serve(listener, router(state), stopped)))
        .map_err(ControlError::Thread)?;
    Ok(Control { addr, stop, thread })
}

impl Control {
    /// The address that is open, with the port that the system chose if 0 was asked for.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Closes the listener, lets answers under way end within [`HTTP_LAST_ANSWER`], and waits for
    /// the thread.
    pub fn shutdown(self) {
        // The receiver is gone only if the thread is, and then there is nothing to stop.
        let _ = self.stop.send(true);
        if self.thread.join().is_err() {
            tracing::error!("the control thread had panicked");
        }
    }
}

async fn serve(listener: TcpListener, app: Router, stopped: watch::Receiver<bool>) {
    let slots = Arc::new(Semaphore::new(HTTP_CONNECTIONS_MAX));
    let accepting = accept(&listener, &app, &slots, &stopped);
    let _ = until_stopped(stopped.clone(), pin!(accepting)).await;
    drop(listener);
    // Every connection holds a slot; when all can be taken, all are closed.
    let all = u32::try_from(HTTP_CONNECTIONS_MAX).unwrap_or(u32::MAX);
    let _ = timeout(HTTP_LAST_ANSWER, slots.acquire_many(all)).await;
}

async fn accept(
    listener: &TcpListener,
    app: &Router,
    slots: &Arc<Semaphore>,
    stopped: &watch::Receiver<bool>,
) {
    loop {
        let Ok(slot) = Arc::clone(slots).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let connection = connection(stream, app.clone(), stopped.clone());
                tokio::spawn(async move {
                    connection.await;
                    drop(slot);
                });
            }
            Err(error) => {
                // Out of descriptors, most likely. Asking again at once would only burn the core.
                tracing::warn!(%error, "cannot accept an HTTP connection");
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// Serves one connection for at most [`HTTP_CONNECTION_LIFE`], then lets it end politely.
async fn connection(stream: TcpStream, app: Router, stopped: watch::Receiver<bool>) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HTTP_HEADER_TIMEOUT)
        .max_buf_size(HTTP_HEAD_MAX)
        .max_headers(HTTP_HEADERS_MAX)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(app));
    let mut connection = pin!(connection);
    let life = timeout(HTTP_CONNECTION_LIFE, until_stopped(stopped, connection.as_mut()));
    if let Ok(Some(ended)) = life.await {
        if let Err(error) = ended {
            tracing::debug!(%error, "an HTTP connection ended badly");
        }
        return;
    }
    connection.as_mut().graceful_shutdown();
    let _ = timeout(HTTP_LAST_ANSWER, connection).await;
}

/// Drives `work` to its end, or gives `None` once the server is being stopped.
async fn until_stopped<F: Future>(
    mut stopped: watch::Receiver<bool>,
    mut work: Pin<&mut F>,
) -> Option<F::Output> {
    let mut stop = pin!(async move {
        // An error means that the sender was dropped without a word: the server runs on.
        if stopped.wait_for(|&stop| stop).await.is_err() {
            std::future::pending::<()>().await;
        }
    });
    poll_fn(|context| {
        if let Poll::Ready(output) = work.as_mut().poll(context) {
            return Poll::Ready(Some(output));
        }
        stop.as_mut().poll(context).map(|()| None)
    })
    .await
}
