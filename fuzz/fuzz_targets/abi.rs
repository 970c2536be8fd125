//! What a call returns, decoded strictly: what is accepted has exactly one encoding.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| citadel::chain::fuzzing::returned(bytes));
