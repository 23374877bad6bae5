//! The examples do what they say.

use crate::support::*;

#[expect(dead_code, reason = "an example's main is not called here")]
#[path = "../../examples/play_flv.rs"]
mod play_flv;
#[expect(dead_code, reason = "an example's main is not called here")]
#[path = "../../examples/publish_flv.rs"]
mod publish_flv;

#[test]
fn a_stream_becomes_a_file_and_the_file_a_stream() {
    let (port, sessions) = listen(2);
    let file = format!("millstream-client-example-{}.flv", std::process::id());
    let file = std::env::temp_dir().join(file);
    let path = file.to_str().unwrap();
    play_flv::play(&format!("rtmp://127.0.0.1:{port}/live/film"), path).unwrap();
    publish_flv::publish(path, &format!("rtmp://127.0.0.1:{port}/live/cam")).unwrap();
    std::fs::remove_file(&file).unwrap();
    sessions.recv().unwrap();
    assert_eq!(sessions.recv().unwrap().tags, film());
}
