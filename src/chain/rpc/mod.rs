//! citadel's own JSON-RPC over HTTP: checks status, ids and sizes, has deadlines, follows no redirect, and never shows a
//! URL, because URLs carry keys.

mod endpoint;
mod envelope;
mod post;
mod trouble;
mod url;

use serde_json::Value;

pub(crate) use endpoint::Endpoint;
#[cfg(feature = "fuzzing")]
pub(crate) use envelope::{open_batch, open_single};
pub(crate) use post::Poster;
pub(crate) use trouble::{RpcError, Trouble};
pub use url::EndpointUrl;

/// One call of a method.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: &'static str,
    pub(crate) params: Value,
    /// Whether a block that is not known yet is worth another try.
    patient: bool,
}

impl Request {
    /// A request that waits a little for a block the node does not know yet.
    pub(crate) fn patient(method: &'static str, params: Value) -> Self {
        Self { method, params, patient: true }
    }

    /// A request whose first answer counts.
    pub(crate) fn once(method: &'static str, params: Value) -> Self {
        Self { method, params, patient: false }
    }
}
