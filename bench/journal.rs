//! `journal FILE COUNT`: that many records on stdout, sealed as citadel seals them: the first of FILE, a run's journal,
//! then its records about steps over and over.

use std::io::{BufWriter, Write};

use citadel::digest::sha256;
use citadel::journal::GENESIS;

fn main() -> std::io::Result<()> {
    let mut words = std::env::args().skip(1);
    let text = std::fs::read_to_string(words.next().unwrap_or_default())?;
    let count: usize = words.next().and_then(|word| word.parse().ok()).unwrap_or(100_000);
    // Of each line what follows `prev`: time and event, without the seal.
    let parts = |line: &'static str| Some(&line[line.find("\"time\"")?..line.rfind(",\"hash\"")?]);
    let parts: Vec<&str> = text.leak().lines().filter_map(parts).collect();
    let first = parts.first().copied().into_iter();
    let about_steps = parts.iter().copied().filter(|part| part.contains("\"event\":{\"type\":\"step_"));
    let time = first.clone().map(|part| &part[..part.find(",\"event\"").unwrap_or(0)]).next().unwrap_or_default();
    let mut out = BufWriter::new(std::io::stdout().lock());
    let mut prev = GENESIS.to_owned();
    for (index, part) in first.chain(about_steps.cycle()).take(count).enumerate() {
        let event = &part[part.find(",\"event\"").unwrap_or(0)..];
        let body = format!("{{\"v\":1,\"seq\":{},\"prev\":\"{prev}\",{time}{event}", index + 1);
        prev = sha256(format!("{body}}}").as_bytes());
        writeln!(out, "{body},\"hash\":\"{prev}\"}}")?;
    }
    out.flush()
}
