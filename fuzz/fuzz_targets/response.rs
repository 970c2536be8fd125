//! What an endpoint sends, read as the answer to an examination, to single requests and to every kind of question.
#![no_main]

libfuzzer_sys::fuzz_target!(|body: &[u8]| citadel::chain::fuzzing::response(body));
