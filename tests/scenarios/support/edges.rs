//! Edges: servers under test that pull from others.

use super::Server;
use std::net::{SocketAddr, TcpListener};

/// The URL by which a server is an origin.
pub fn origin_of(server: &Server) -> String {
    format!("rtmp://{}", server.rtmp)
}

/// An edge of these servers, in order of preference.
pub fn edge(origins: &[&Server], options: &[&str]) -> Server {
    let origins: Vec<String> = origins.iter().map(|origin| origin_of(origin)).collect();
    let mut arguments = options.to_vec();
    origins.iter().for_each(|origin| arguments.extend(["--origin", origin]));
    Server::start(&arguments, "")
}

/// An edge at an address of its own.
pub fn edge_at(address: SocketAddr, origins: &[SocketAddr]) -> Server {
    let address = address.to_string();
    let origins: Vec<String> = origins.iter().map(|origin| format!("rtmp://{origin}")).collect();
    let mut arguments = vec!["--rtmp", &*address];
    origins.iter().for_each(|origin| arguments.extend(["--origin", origin]));
    Server::start(&arguments, "")
}

/// A server with this configuration.
pub fn edge_by(config: &str) -> Server {
    Server::start(&[], config)
}

/// What the API says of its pulls.
pub fn pulls(server: &Server) -> Vec<serde_json::Value> {
    let answer: serde_json::Value =
        serde_json::from_str(&server.get("/api/v1/pulls")).expect("the API answers JSON");
    answer["pulls"].as_array().expect("it is a list").clone()
}

/// An address at which nobody listens at present.
pub fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.local_addr().expect("it is bound")
}
