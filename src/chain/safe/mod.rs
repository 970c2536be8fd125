//! What is known about Safe: releases, hashes to sign, signatures, and packed transactions. Pure; reads no chain.

pub(crate) mod beside;
pub(crate) mod exported;
pub(crate) mod multisend;
pub(crate) mod release;
pub(crate) mod signature;
pub(crate) mod transaction;
