//! Keys, renames, and what is not allowed, as a publisher and a player meet them.

use crate::support::{Proxy, command, millstream, publish};
use millstream_client::Error;
use millstream_testkit::clip::Clip;
use millstream_testkit::{Scratch, Server};

#[test]
fn keys_let_in_and_renames_hide_what_the_target_wants() {
    let clip = Clip::H264Aac.path().unwrap().to_string_lossy().into_owned();
    let scratch = Scratch::new("proxy-keys").unwrap();
    let server = Server::start(&scratch, &millstream()).unwrap();
    let file = scratch.file("proxy.toml");
    let settings = format!(
        "target = \"rtmp://{}/studio\"\n[keys]\ncam1 = \"ours-is-secret\"\n\
         [rename]\ncam1 = \"theirs-is-secret-too?token=hidden-token\"\n",
        server.rtmp()
    );
    std::fs::write(&file, settings).unwrap();
    let mut proxy = Proxy::start(&scratch, &["--keys", &file.to_string_lossy()]);
    let mut said = String::new();
    for (name, words) in [
        ("cam1", "needs its key"),
        ("cam1?key=wrong-and-long-enough", "the key is wrong"),
        ("cam2?key=ours-is-secret", "no key is configured"),
        ("..", "the stream name"),
    ] {
        let mut refused = command(&scratch, "refused", ["publish", &clip, &proxy.url(name)]);
        assert_eq!(refused.wait().unwrap().code(), Some(4), "{name}");
        assert!(refused.output().contains(words), "{name}: {}", refused.output());
        said.push_str(&refused.output());
    }
    let url = proxy.url("cam1?key=ours-is-secret");
    let mut publisher = command(&scratch, "publisher", ["publish", &clip, &url, "--loop"]);
    proxy.wait_for("publish started", 1);
    let behind = server.url_in("studio", "theirs-is-secret-too");
    for url in [behind, proxy.url("cam1")] {
        let mut player = command(&scratch, "player", ["play", &url, "--duration", "500ms"]);
        player.wait_success().unwrap();
        assert!(player.output().contains("video"), "{}", player.output());
    }
    publisher.interrupt().unwrap();
    publisher.wait_success().unwrap();
    said.push_str(&proxy.stop());
    for secret in ["ours-is-secret", "theirs-is-secret-too", "hidden-token", "wrong-and-long"] {
        assert!(!said.contains(secret), "{secret} is shown:\n{said}");
    }
}

#[test]
fn playing_and_publishing_can_be_forbidden() {
    let clip = Clip::H264Aac.path().unwrap().to_string_lossy().into_owned();
    let scratch = Scratch::new("proxy-no").unwrap();
    let server = Server::start(&scratch, &millstream()).unwrap();
    let target = format!("rtmp://{}", server.rtmp());
    let proxy = Proxy::start(&scratch, &["--no-play", &target]);
    let mut player = command(&scratch, "player", ["play", &proxy.url("cam")]);
    assert_eq!(player.wait().unwrap().code(), Some(4));
    assert!(player.output().contains("no streams are played here"), "{}", player.output());
    proxy.stop();
    let proxy = Proxy::start(&scratch, &["--no-publish", &target]);
    let mut publisher = command(&scratch, "publisher", ["publish", &clip, &proxy.url("cam")]);
    assert_eq!(publisher.wait().unwrap().code(), Some(4));
    assert!(publisher.output().contains("no streams are taken here"), "{}", publisher.output());
    proxy.stop();
}

#[test]
fn a_proxy_that_leads_to_itself_says_so() {
    let scratch = Scratch::new("proxy-loop").unwrap();
    let address = format!("127.0.0.1:{}", millstream_testkit::ports::free_port().unwrap());
    let target = format!("rtmp://{address}");
    let proxy = Proxy::start_at(&scratch, &address, &[&target]);
    let Err(Error::Refused(refusal)) = publish(&proxy.url("cam")) else { panic!("accepted") };
    assert!(refusal.description.contains("leads back to itself"), "{}", refusal.description);
    let said = proxy.stop();
    assert!(said.contains("proxied 1 sessions"), "{said}");
}
