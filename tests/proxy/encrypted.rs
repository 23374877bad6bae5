//! A target that is encrypted, and one whose certificate nobody vouches for.

use crate::fake::{Behaviour, Fake};
use crate::support::{Proxy, picture, publish, wait_until};
use millstream_client::Error;
use millstream_testkit::{Scratch, door};

#[test]
fn what_comes_plain_goes_on_encrypted() {
    let (scratch, fake) = (Scratch::new("proxy-tls").unwrap(), Fake::start(&[Behaviour::Good]));
    let (ca, other) = (scratch.file("ca.pem"), scratch.file("other.pem"));
    let port = door::open(fake.address, &ca).unwrap();
    door::open(fake.address, &other).unwrap();
    let target = format!("rtmps://127.0.0.1:{port}");

    let proxy = Proxy::start(&scratch, &["--ca", &ca.to_string_lossy(), &target]);
    let (mut connection, stream) = publish(&proxy.url("cam")).unwrap();
    for number in 0..100 {
        connection.client().video(stream, number, picture(number)).unwrap();
        connection.flush().unwrap();
    }
    connection.end().unwrap();
    wait_until("all pictures", || fake.media().len() == 100);
    for (number, message) in (0..).zip(fake.media()) {
        assert_eq!((message.timestamp, message.payload), (number, picture(number)));
    }
    proxy.stop();

    let proxy = Proxy::start(&scratch, &["--ca", &other.to_string_lossy(), &target]);
    let Err(Error::Refused(refusal)) = publish(&proxy.url("cam")) else { panic!("accepted") };
    assert_eq!(refusal.code, "NetStream.Publish.Failed");
    let said = proxy.stop();
    assert!(said.contains("no encrypted connection with 127.0.0.1"), "{said}");
}
