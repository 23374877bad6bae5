//! What the server's and the client's sessions share: ids, modes, names, data messages, errors.
//!
//! The sessions themselves stand in `server` and `client`, bytes in `connection`.

mod data;
mod error;
mod name;
mod types;

pub use data::{Data, DataFrame};
pub use error::{AnswerError, Early, Fault, SessionError};
pub use types::{Level, PublishMode, Rejection, RequestId};

pub(crate) use data::open_data;
pub(crate) use name::{app_of_url, split_query};
