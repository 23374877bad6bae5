//! One connection through the proxy: two sockets and two threads, one for each direction.
//!
//! Either end may close its half and go on reading; whatever `close` and `stall` do to the client
//! is not undone by what the server does. What the bytes mean is the `rewriter`'s business.

use super::Shared;
use super::rewriter::{Rewriter, Then};
use bytes::BytesMut;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::Duration;

/// What one read takes at most.
const READ_BYTES: usize = 64 * 1024;
/// How long the server may take to be connected to.
const CONNECT_MAX: Duration = Duration::from_secs(5);

/// Carries one client's connection to its end.
pub(super) fn serve(client: &TcpStream, shared: &Shared) {
    // A server that is not there shows in the client's connection, which is closed.
    let Ok(server) = TcpStream::connect_timeout(&shared.target, CONNECT_MAX) else { return };
    let numbers = [client, &server].map(|socket| shared.stop.enter(socket));
    if numbers.iter().all(Option::is_some) {
        for socket in [client, &server] {
            // Frames would be late without it, but they would come.
            let _ = socket.set_nodelay(true);
        }
        std::thread::scope(|scope| {
            let up = std::thread::Builder::new()
                .name("proxy-up".to_owned())
                .spawn_scoped(scope, || up(client, &server));
            if up.is_ok() {
                down(&server, client, shared);
            }
        });
    }
    for number in numbers.into_iter().flatten() {
        shared.stop.leave(number);
    }
}

/// From the client to the server, as it comes.
fn up(client: &TcpStream, server: &TcpStream) {
    let mut buffer = vec![0; READ_BYTES];
    let mut takes = true;
    while let Some(count) = read(client, &mut buffer) {
        // The client is read to its end: closing before that would reset it, and it would lose what
        // is under way to it.
        takes = takes && { server }.write_all(&buffer[..count]).is_ok();
    }
    shut(server, Shutdown::Write);
}

/// From the server to the client, damaged.
fn down(server: &TcpStream, client: &TcpStream, shared: &Shared) {
    let mut rewriter = Rewriter::new(&shared.faults, Arc::clone(&shared.common));
    let (mut buffer, mut out) = (vec![0; READ_BYTES], BytesMut::new());
    while let Some(count) = read(server, &mut buffer) {
        let mut input = &buffer[..count];
        loop {
            let then = rewriter.receive(&mut input, &mut out);
            let sent = { client }.write_all(&out.split());
            match (sent, then) {
                (Ok(()), Ok(Then::More)) => break,
                (Ok(()), Ok(Then::Wait(time))) if !shared.stop.wait(time) => {}
                (Ok(()), Ok(Then::Stall)) => {
                    // The server shall not notice: it is the client that is tested.
                    while read(server, &mut buffer).is_some() {}
                    return;
                }
                _ => {
                    shut(server, Shutdown::Both);
                    shut(client, Shutdown::Write);
                    return;
                }
            }
        }
    }
    rewriter.end(&mut out);
    // A client that is gone does not miss it.
    let _ = { client }.write_all(&out);
    shut(client, Shutdown::Write);
}

/// Bytes of a socket; nothing when it has come to its end, in order or not.
fn read(mut socket: &TcpStream, buffer: &mut [u8]) -> Option<usize> {
    loop {
        match socket.read(buffer) {
            Ok(0) => return None,
            Ok(count) => return Some(count),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
}

fn shut(socket: &TcpStream, how: Shutdown) {
    // One that is gone needs no shutting.
    let _ = socket.shutdown(how);
}
