//! What the names of errors mean, for people: the one place that explains them.
//!
//! The names themselves are given where connections end; one that is not in this list is shown by
//! its name alone.

/// Names and what each says, in the order of a connection's life.
pub const KINDS: [(&str, &str); 36] = [
    ("no-socket", "this machine gave no socket: out of files, ports or memory"),
    ("connection-refused", "nobody listened at the address, or the queue of the listener was full"),
    ("connect-timeout", "no answer to the RTMP command connect within the time limit"),
    ("connection-timed-out", "no TCP connection within the time limit"),
    ("connection-reset", "the server reset the connection"),
    ("closed", "the server closed the connection without a word"),
    ("request-not-possible", "the stream's name cannot be asked for over RTMP"),
    ("not-sendable", "a frame could not be written as an RTMP message"),
    ("handshake-timeout", "no RTMP handshake within the time limit"),
    ("request-timeout", "no answer to an RTMP command within the time limit"),
    ("connect-refused", "the server refused the RTMP command connect"),
    ("play-refused", "the server refused the RTMP command play"),
    ("publish-refused", "the server refused the RTMP command publish"),
    ("no-first-frame", "play was granted, but no frame to begin with came within the time limit"),
    ("stalled", "frames came, and then none any more although the stream went on"),
    ("stream-ended", "the server said that the stream has ended"),
    ("displaced", "another publisher took the stream over"),
    ("closed-by-command", "the server took the stream back with an RTMP command"),
    ("publisher-stalled", "the server stopped reading from a publisher"),
    (
        "clocks-apart",
        "frames came before they were sent: publishers and players need --wall-clock \
      and clocks that are kept together",
    ),
    ("handshake-version", "what the server sent is no RTMP handshake"),
    ("handshake-encrypted", "the server answered with an encrypted handshake"),
    ("chunk-without-header", "the server's chunks do not begin as RTMP chunks do"),
    ("chunk-size-invalid", "the server announced a chunk size that RTMP does not have"),
    ("message-interrupted", "the server began a message within another one"),
    ("message-changed", "the server changed a message's header in the middle of it"),
    ("message-too-long", "the server announced a message longer than is taken"),
    ("reassembly-full", "the server began more messages than are held at one time"),
    ("too-many-chunk-streams", "the server used more chunk streams than are held"),
    ("tiny-chunks", "the server sent its messages in uselessly small chunks"),
    ("command-not-amf0", "a command of the server cannot be read"),
    ("command-not-amf3", "a command of the server has a value in AMF3 that cannot be read"),
    ("command-without-name", "a command of the server has no name"),
    ("control-malformed", "a control message of the server cannot be read"),
    ("aggregate-malformed", "an aggregate of the server cannot be read"),
    ("socket-error", "the socket failed in another way"),
];

/// What a kind means, if it is known.
pub fn explain(kind: &str) -> Option<&'static str> {
    KINDS.iter().find(|(name, _)| *name == kind).map(|(_, meaning)| *meaning)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_explained_once() {
        for (at, (name, meaning)) in KINDS.iter().enumerate() {
            assert_eq!(KINDS.iter().position(|(other, _)| other == name), Some(at), "{name}");
            assert_eq!(explain(name), Some(*meaning));
        }
        assert_eq!(explain("unheard-of"), None);
    }
}
