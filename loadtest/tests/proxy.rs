//! The proxy's sockets: what passes, what ends, and that nothing is left when it is dropped. What
//! faults do to frames is tested beside the rewriter, and against the checker in `hostile`.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use loadtest::proxy::Proxy;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

/// Longer than anything takes here that does not hang.
const PATIENCE: Duration = Duration::from_secs(10);

fn any() -> SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

fn connect(proxy: &Proxy) -> TcpStream {
    patient(TcpStream::connect(proxy.address()).unwrap())
}

fn patient(socket: TcpStream) -> TcpStream {
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

/// A server, a proxy before it, and a connection through both: the client's end and the server's.
fn connection() -> (Proxy, TcpStream, TcpStream) {
    let listener = TcpListener::bind(any()).unwrap();
    let proxy = Proxy::start(any(), listener.local_addr().unwrap(), &[]).unwrap();
    let client = connect(&proxy);
    let (server, _) = listener.accept().unwrap();
    (proxy, client, patient(server))
}

#[test]
fn handshakes_pass_both_ways_and_each_half_is_closed_apart() {
    let (_proxy, mut client, mut server) = connection();
    client.write_all(b"from the client").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    let mut got = Vec::new();
    server.read_to_end(&mut got).unwrap();
    assert_eq!(got, b"from the client");

    server.write_all(b"from the server").unwrap();
    drop(server);
    got.clear();
    client.read_to_end(&mut got).unwrap();
    assert_eq!(got, b"from the server");
}

#[test]
fn bytes_that_are_no_chunks_end_the_connection() {
    let (_proxy, mut client, mut server) = connection();
    server.write_all(&[3; 3073]).unwrap();
    server.write_all(&[0xff; 100]).unwrap();
    let mut got = Vec::new();
    client.read_to_end(&mut got).unwrap();
    assert_eq!(got, [3; 3073], "what cannot be read was passed on");
    assert_eq!(server.read(&mut [0; 1]).unwrap(), 0);
}

#[test]
fn without_a_server_the_client_is_hung_up_on() {
    let nobody = TcpListener::bind(any()).unwrap().local_addr().unwrap();
    let proxy = Proxy::start(any(), nobody, &[]).unwrap();
    assert_eq!(connect(&proxy).read(&mut [0; 1]).unwrap(), 0);
}

#[test]
fn dropped_it_ends_its_connections_and_listens_no_more() {
    let (proxy, mut client, mut server) = connection();
    let address = proxy.address();
    let began = Instant::now();
    drop(proxy);
    assert!(began.elapsed() < PATIENCE / 2, "it took {:?}", began.elapsed());
    for socket in [&mut client, &mut server] {
        match socket.read(&mut [0; 1]) {
            Ok(count) => assert_eq!(count, 0),
            Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
        }
    }
    let refused = TcpStream::connect(address).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
}

#[test]
fn an_address_in_use_is_an_error() {
    let holder = TcpListener::bind(any()).unwrap();
    let error = Proxy::start(holder.local_addr().unwrap(), any(), &[]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
}
