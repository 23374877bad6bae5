//! Starting the server under test, or another one in its place.
//!
//! The others are there to test the tests: a scenario that fails against millstream and nginx is
//! a mistake in the scenario (`MILLSTREAM_TEST_SERVER=nginx` chooses it), and a load generator
//! that is right about one server only is a mistake in the generator. How each of the others is
//! configured stands in a file of its own beneath.

mod nginx;
mod node_media_server;

use std::env;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

use crate::error::Result;
use crate::ports::free_port;
use crate::process::{Invocation, Process};
use crate::scratch::Scratch;

/// How long a server may take until it answers.
const START_LIMIT: Duration = Duration::from_secs(20);

/// How long a health request may take.
const HEALTH_LIMIT: Duration = Duration::from_secs(1);

/// Which of its event drivers millstream is to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Driver {
    /// Its own choice: io_uring where the kernel has it.
    Default,
    /// epoll, as on old kernels and in most containers.
    Epoll,
}

/// What to start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The server under test.
    Millstream {
        /// Its program file.
        binary: PathBuf,
        /// Its event driver.
        driver: Driver,
        /// Arguments besides the addresses and cores, which every server is given.
        args: Vec<String>,
    },
    /// Another program of ours that serves RTMP at the address that is its last argument.
    Program {
        /// Its program file.
        binary: PathBuf,
        /// Arguments before the address.
        args: Vec<String>,
    },
    /// nginx with libnginx-mod-rtmp, in a single process.
    Nginx,
    /// Node-Media-Server, of the series with this major version.
    NodeMediaServer(u32),
}

impl Target {
    /// millstream, unless the environment asks for nginx.
    #[must_use]
    pub fn from_env(binary: impl Into<PathBuf>, driver: Driver) -> Self {
        if env::var_os("MILLSTREAM_TEST_SERVER").is_some_and(|name| name == "nginx") {
            Self::Nginx
        } else {
            Self::Millstream { binary: binary.into(), driver, args: Vec::new() }
        }
    }
}

/// A running server on loopback ports of its own.
#[derive(Debug)]
pub struct Server {
    process: Process,
    target: Target,
    rtmp: SocketAddrV4,
    http: Option<SocketAddrV4>,
}

impl Server {
    /// Starts the server and waits until it serves. Its log goes to `server.log` in `scratch`.
    pub fn start(scratch: &Scratch, target: &Target) -> Result<Self> {
        let rtmp = SocketAddrV4::new(Ipv4Addr::LOCALHOST, free_port()?);
        let http = SocketAddrV4::new(Ipv4Addr::LOCALHOST, free_port()?);
        Self::start_at(scratch, "server", target, rtmp, http)
    }

    /// Kills the server and starts it again on the same addresses. From then on its log goes to
    /// `server-again.log`.
    pub fn restart(&mut self, scratch: &Scratch) -> Result<()> {
        self.process.kill();
        let http = self.http.unwrap_or(self.rtmp);
        *self = Self::start_at(scratch, "server-again", &self.target.clone(), self.rtmp, http)?;
        Ok(())
    }

    fn start_at(
        scratch: &Scratch,
        name: &str,
        target: &Target,
        rtmp: SocketAddrV4,
        http: SocketAddrV4,
    ) -> Result<Self> {
        let invocation = match target {
            Target::Millstream { binary, driver, args } => {
                let invocation = Invocation::path(binary).args(["serve"]).args(args.clone());
                return Self::start_millstream(
                    scratch, name, target, invocation, *driver, rtmp, http,
                );
            }
            Target::Program { binary, args } => {
                Invocation::path(binary).args(args.clone()).args([rtmp.to_string()])
            }
            Target::Nginx => nginx::invocation(scratch, rtmp)?,
            Target::NodeMediaServer(series) => {
                node_media_server::invocation(scratch, rtmp, *series)?
            }
        };
        // These have no health page: they serve when their port is open.
        let mut process = Process::start(scratch, name, &invocation, START_LIMIT)?;
        process.wait_until("the port to open", |_| TcpStream::connect(rtmp).is_ok())?;
        Ok(Self { process, target: target.clone(), rtmp, http: None })
    }

    /// The URL of a stream, for publishers and players alike.
    #[must_use]
    pub fn url(&self, stream: &str) -> String {
        self.url_in("live", stream)
    }

    /// The URL of a stream of another application than the usual one.
    #[must_use]
    pub fn url_in(&self, application: &str, stream: &str) -> String {
        format!("rtmp://{}/{application}/{stream}", self.rtmp)
    }

    /// The URL without the stream's name, for programs that ask for the two apart.
    #[must_use]
    pub fn application_url(&self) -> String {
        format!("rtmp://{}/live", self.rtmp)
    }

    /// Address of the RTMP listener.
    #[must_use]
    pub fn rtmp(&self) -> SocketAddrV4 {
        self.rtmp
    }

    /// Address of the HTTP listener; the others have none here.
    #[must_use]
    pub fn http(&self) -> Option<SocketAddrV4> {
        self.http
    }

    /// The process, for signals and measurements.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Whether the server relays Enhanced RTMP video.
    ///
    /// nginx-rtmp takes the bits that mark an enhanced header for part of the frame type, and
    /// a frame of an unknown type for one that may be dropped: none arrives.
    #[must_use]
    pub fn relays_enhanced_video(&self) -> bool {
        self.target != Target::Nginx
    }

    /// Whether players have time to take the last packet before they are told that the stream
    /// has ended.
    ///
    /// GStreamer's `rtmp2src` (1.22) forgets the message that it holds when StreamEOF arrives.
    /// nginx-rtmp sends StreamEOF right behind the last packet.
    #[must_use]
    pub fn ends_streams_gently(&self) -> bool {
        self.target != Target::Nginx
    }

    fn start_millstream(
        scratch: &Scratch,
        name: &str,
        target: &Target,
        invocation: Invocation,
        driver: Driver,
        rtmp: SocketAddrV4,
        http: SocketAddrV4,
    ) -> Result<Self> {
        let mut invocation = invocation
            .args(["--rtmp".to_owned(), rtmp.to_string()])
            .args(["--http".to_owned(), http.to_string()])
            .args(["--cores", "0,1"]);
        if driver == Driver::Epoll {
            invocation = invocation.env("MONOIO_FORCE_LEGACY_DRIVER", "1");
        }
        let mut process = Process::start(scratch, name, &invocation, START_LIMIT)?;
        process.wait_until("/healthz to answer 200", |_| healthy(http))?;
        Ok(Self { process, target: target.clone(), rtmp, http: Some(http) })
    }
}

/// Whether `/healthz` answers with status 200.
fn healthy(http: SocketAddrV4) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut socket = TcpStream::connect_timeout(&http.into(), HEALTH_LIMIT)?;
        socket.set_read_timeout(Some(HEALTH_LIMIT))?;
        socket
            .write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut status = [0; 12];
        socket.read_exact(&mut status)?;
        Ok(status.starts_with(b"HTTP/1.") && status.ends_with(b" 200"))
    };
    ask().unwrap_or(false)
}
