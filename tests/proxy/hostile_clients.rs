//! Clients that are none: the proxy ends their sessions, and goes on with the others.

use crate::fake::{Behaviour, Fake};
use crate::support::{PATIENCE, Proxy, picture, publish, wait_until};
use millstream_rtmp::client::ClientOptions;
use millstream_rtmp::connection::ClientConnection;
use millstream_testkit::Scratch;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

fn connect(proxy: &Proxy) -> TcpStream {
    let socket = TcpStream::connect(&proxy.address).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

/// Reads until the other side closes, which it has to.
fn closed(socket: &mut TcpStream) {
    let mut buffer = [0; 4096];
    loop {
        match socket.read(&mut buffer) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return,
            Err(error) => panic!("not closed: {error}"),
        }
    }
}

#[test]
fn garbage_slowness_and_ten_thousand_streams_end_a_session_and_nothing_else() {
    let (scratch, fake) = (Scratch::new("proxy-clients").unwrap(), Fake::start(&[Behaviour::Good]));
    let mut proxy = Proxy::start(&scratch, &[&fake.url()]);
    let (mut good, stream) = publish(&proxy.url("cam")).unwrap();
    // It has begun its handshake and goes no further.
    let mut slow = connect(&proxy);
    slow.write_all(&[3, 0, 0]).unwrap();

    let mut garbage = connect(&proxy);
    // It may be closed on before it has said all.
    let _ = garbage.write_all(&[0x99; 10_000]);
    closed(&mut garbage);

    let mut socket = connect(&proxy);
    socket.set_nonblocking(true).unwrap();
    let options = ClientOptions::new("live", "rtmp://proxy/live");
    let mut client = ClientConnection::new(options, [7; 32]).unwrap();
    let mut asked = 0;
    let mut buffer = vec![0; 64 * 1024];
    wait_until("an end of ten thousand streams", || {
        if client.is_connected() && asked < 10_000 {
            for _ in 0..100 {
                client.send_command(0, "createStream", vec![]).unwrap();
            }
            asked += 100;
        }
        let output = client.output();
        match socket.write(output) {
            Ok(count) => drop(output.split_to(count)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) => return true,
        }
        loop {
            let count = match socket.read(&mut buffer) {
                Ok(0) => return true,
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
                Err(_) => return true,
            };
            let mut input = &buffer[..count];
            while client.receive(&mut input).unwrap().is_some() {}
        }
    });
    proxy.wait_for("too-many-refusals", 1);

    closed(&mut slow);
    proxy.wait_for("handshake-slow", 1);
    good.client().video(stream, 3, picture(0)).unwrap();
    good.flush().unwrap();
    wait_until("the picture of the good one", || fake.media().len() == 1);
    good.end().unwrap();
    let said = proxy.stop();
    assert!(said.contains("proxied 4 sessions"), "{said}");
}

#[test]
fn there_is_room_for_so_many_and_then_for_no_more() {
    let (scratch, fake) = (Scratch::new("proxy-room").unwrap(), Fake::start(&[Behaviour::Good]));
    let mut proxy = Proxy::start(&scratch, &["--connections", "2", &fake.url()]);
    let first = publish(&proxy.url("a")).unwrap();
    let _second = publish(&proxy.url("b")).unwrap();
    closed(&mut connect(&proxy));
    proxy.wait_for("cap-connections", 1);
    first.0.end().unwrap();
    proxy.wait_for("session ended", 1);
    publish(&proxy.url("c")).unwrap();
}
