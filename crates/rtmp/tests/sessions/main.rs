//! The sessions driven as peers drive them: dialects named by product, and scenarios named for
//! what goes wrong. All in memory.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod answers_that_come_late;
mod answers_to_the_callers_own_commands;
mod anything_at_all;
mod captures;
mod common;
mod common_bytes;
mod dialects;
mod floods_of_control_messages;
mod media_that_nobody_owns;
mod memory_of_idle_connections;
mod message_streams_without_end;
mod messages_too_long;
mod peer_skips_connect;
mod requests_refused_for_ever;
mod transactions_that_are_no_numbers;
mod two_endpoints;
mod two_publishes_on_one_stream;
mod what_the_client_says_of_itself;
mod what_the_server_says_of_itself;
