//! No allocation per frame and viewer: what a shard allocates does not grow with its viewers.
//!
//! `counter` is the allocator that counts; `fanout` drives one shard's fan-out with readers and no
//! sockets, where the number is exact; `server` counts what the shard of a real server does while
//! players receive from it, where timers and the publisher's own messages allocate too.

mod counter;
mod fanout;
mod server;
