//! A client and a server connection in memory, and the wire between them, cut as a test wants.

use millstream_rtmp::client::{ClientEvent, ClientOptions};
use millstream_rtmp::connection::{ClientConnection, ConnectionError, ServerConnection};
use millstream_rtmp::server::{ServerEvent, ServerOptions};

/// How the bytes of one direction are cut into reads.
#[derive(Clone, Debug)]
pub enum Cut {
    Whole,
    Every(usize),
    /// Lengths in turn, again from the start when used up.
    Lengths(Vec<usize>),
}

impl Cut {
    pub fn pieces<'a>(&self, bytes: &'a [u8]) -> Vec<&'a [u8]> {
        let lengths = match self {
            Self::Whole => return vec![bytes],
            Self::Every(length) => std::slice::from_ref(length),
            Self::Lengths(lengths) => lengths,
        };
        let mut rest = bytes;
        let mut pieces = Vec::new();
        for length in lengths.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, tail) = rest.split_at((*length).clamp(1, rest.len()));
            pieces.push(piece);
            rest = tail;
        }
        pieces
    }
}

/// Both ends. The server accepts everything unless a test answers by itself.
pub struct Pair {
    pub client: ClientConnection,
    pub server: ServerConnection,
    pub cut: Cut,
    pub accept: bool,
}

impl Pair {
    pub fn new(cut: Cut) -> Self {
        Self::with(ClientOptions::new("live", "rtmp://host/live"), &ServerOptions::default(), cut)
    }

    pub fn with(client: ClientOptions, server: &ServerOptions, cut: Cut) -> Self {
        Self {
            client: ClientConnection::new(client, [1; 32]).unwrap(),
            server: ServerConnection::new(server, [2; 32]),
            cut,
            accept: true,
        }
    }

    /// Carries bytes both ways until neither end has more to say.
    pub fn run(&mut self) -> (Vec<ClientEvent>, Vec<ServerEvent>) {
        let (mut client, mut server) = (Vec::new(), Vec::new());
        loop {
            let up = self.client.output().split();
            for piece in self.cut.pieces(&up) {
                self.feed_server(piece, &mut server).expect("the server takes its client");
            }
            let down = self.server.output().split();
            for mut piece in self.cut.pieces(&down) {
                while let Some(event) =
                    self.client.receive(&mut piece).expect("the client takes its server")
                {
                    client.push(event);
                }
                assert!(piece.is_empty());
            }
            if up.is_empty() && down.is_empty() {
                return (client, server);
            }
        }
    }

    pub fn feed_server(
        &mut self,
        mut piece: &[u8],
        events: &mut Vec<ServerEvent>,
    ) -> Result<(), ConnectionError> {
        while let Some(event) = self.server.receive(&mut piece)? {
            if self.accept {
                match &event {
                    ServerEvent::Connect(connect) => self.server.accept_connect(connect.request),
                    ServerEvent::Publish(publish) => self.server.accept_publish(publish.request),
                    ServerEvent::Play(play) => self.server.accept_play(play.request),
                    _ => Ok(()),
                }
                .expect("the request is open");
            }
            events.push(event);
        }
        assert!(piece.is_empty());
        Ok(())
    }
}
