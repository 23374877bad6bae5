//! A door that takes TLS off in front of a server, for measurements: prints its port and stands until it is
//! killed.
//!
//! ```text
//! door 127.0.0.1:1935 ca.pem
//! ```

use millstream_testkit::door;
use std::error::Error;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args_os().skip(1);
    let server = args.next().and_then(|arg| arg.into_string().ok()).ok_or("name the server")?;
    let certificate = args.next().map(PathBuf::from).ok_or("name a file for the certificate")?;
    println!("{}", door::open(server.parse::<std::net::SocketAddr>()?, &certificate)?);
    loop {
        std::thread::park();
    }
}
