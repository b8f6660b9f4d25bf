//! Building messages: what can't be read back as it was meant is not built.

mod derived;
mod draft;
mod request;
mod response;
pub(crate) mod rules;
#[cfg(feature = "tags")]
mod tag;

pub use request::RequestBuilder;
pub use response::ResponseBuilder;
