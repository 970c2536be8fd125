//! Safe Transaction Builder files: what they say, whether each call is what it claims, and what must never be in one.
//! Pure; reads no chain.

mod checksum;
mod document;
mod forbidden;
mod method;
mod unwrap;

pub(in crate::chain) use checksum::of as checksum_of;
pub(crate) use document::{Bundle, Transaction, cast_decode};
pub(crate) use forbidden::{forbidden, known};
pub(crate) use method::words;
pub(crate) use unwrap::{Call, inner, schedules, wrapper};

#[cfg(test)]
mod tests;
