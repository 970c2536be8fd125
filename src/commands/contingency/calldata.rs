//! Ready calldata as people read and copy it, and the files for the Safe Transaction Builder. Works without a chain and
//! without a disk.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::situation::{Brake, Seen, Settler};
use crate::chain::{Call, Known, Operation, checksum, safe_file};
use crate::journal::write_file;
use crate::runbook::{ContractKind, Network};
use crate::text::limit;

/// What can be said from the runbook alone: the direct calls.
pub(super) fn first(brake: &Brake, network: &Network) -> String {
    let mut text = String::new();
    let governor = brake.governor.as_ref().map_or_else(|| "its governance".to_owned(), named);
    let _ = writeln!(text, "calls of {governor}, directly:");
    for call in brake.calls(&Seen::default()) {
        text.push_str(&told(&call, network));
    }
    text
}

/// The same where a module is paused already, or a settler is off: what is left to call.
pub(super) fn remaining(calls: &[Call], network: &Network) -> String {
    let mut text = "what is left to call, directly:\n".to_owned();
    text.extend(calls.iter().map(|call| told(call, network)));
    text
}

/// One call with everything that is needed to make it.
fn told(call: &Call, network: &Network) -> String {
    let rpc = network.rpc.first().map_or("RPC_URL", String::as_str);
    let key = network.key.first().map_or("GOVERNANCE_KEY", String::as_str);
    format!(
        "\n  {}\n    target  {}\n    value   0\n    data    {}\n    {}\n",
        call.what,
        call.to(),
        call.data(),
        call.cast_send(rpc, key)
    )
}

/// The timelock's halves of each call.
pub(super) struct Halves {
    pub(super) operations: Vec<Operation>,
    pub(super) schedule: Vec<Call>,
    pub(super) execute: Vec<Call>,
    /// Seconds.
    delay: String,
    /// The delay is the chain's.
    read: bool,
}

impl Halves {
    /// The operations of `timelock` for `calls`. Where the chain did not tell the delay, the longest that is allowed
    /// serves: a timelock takes any delay that is not below its own.
    pub(super) fn of(timelock: &Known, calls: Vec<Call>, brake: &Brake, seen: &Seen, name: &str) -> Self {
        let salted = calls.into_iter().enumerate();
        let operations: Vec<Operation> =
            salted.map(|(n, call)| Operation::new(timelock.address, call, &format!("citadel {name} {n}"))).collect();
        let allowed = || brake.within.map_or(0, |within| within.as_secs()).to_string();
        let delay = seen.delay.clone().unwrap_or_else(allowed);
        let schedule = operations.iter().filter_map(|operation| operation.schedule(&delay)).collect();
        let execute = operations.iter().map(Operation::execute).collect();
        Self { operations, schedule, execute, delay, read: seen.delay.is_some() }
    }

    /// The calls in words; `states` says where each operation stands.
    pub(super) fn told(&self, timelock: &Known, seen: &Seen, states: &[Option<String>], network: &Network) -> String {
        let mut text = String::new();
        let seconds: i64 = self.delay.parse().unwrap_or(i64::MAX);
        let whose = if self.read {
            format!("its delay is {}", limit(Duration::from_secs(self.delay.parse().unwrap_or(u64::MAX))))
        } else {
            format!("its delay could not be read: {} s is the longest that `can_pause` allows", self.delay)
        };
        let _ = writeln!(text, "\nthrough the timelock {}; {whose}", named(timelock));
        let newest = seen.block.and_then(|block| Timestamp::from_second(i64::try_from(block.time).ok()?).ok());
        let now = newest.unwrap_or_default().max(Timestamp::now());
        if let Ok(earliest) = now.checked_add(SignedDuration::from_secs(seconds)) {
            let _ = writeln!(text, "  scheduled now, it can be executed from {earliest:.0} at the earliest");
        }
        for ((schedule, execute), state) in self.schedule.iter().zip(&self.execute).zip(states) {
            text.push_str(&told(schedule, network));
            text.push_str(&told(execute, network));
            if let Some(state) = state {
                let _ = writeln!(text, "    now: {state}");
            }
        }
        text
    }
}

/// What is paused, whom a pause covers, and what none reaches.
pub(super) fn coverage(brake: &Brake, seen: &Seen) -> String {
    let mut text = String::new();
    let pause = named(&brake.pause);
    let paused: Vec<&str> = seen.modules.iter().filter(|module| module.paused).map(|one| one.name.as_str()).collect();
    let at = seen.block.map_or_else(|| "the chain was not read".to_owned(), |block| format!("block {}", block.number));
    let _ = writeln!(text, "\nat {at}:");
    for problem in &seen.problems {
        let _ = writeln!(text, "  not known: {problem}");
    }
    match (seen.modules.len(), paused.len()) {
        (0, _) => {}
        (all, some) if all == some => {
            let _ = writeln!(text, "  already paused: all {all} modules of {pause}");
        }
        (all, 0) => {
            let names: Vec<&str> = seen.modules.iter().map(|module| module.name.as_str()).collect();
            let _ = writeln!(text, "  running: all {all} modules; pauseAll() covers {}", names.join(", "));
        }
        (all, some) => {
            let _ = writeln!(
                text,
                "  partly paused: {some} of {all}: {}; pauseAll() reverts now, so each other module has a call of its own",
                paused.join(", ")
            );
        }
    }
    for module in &seen.modules {
        let own = module.pauser.as_ref().filter(|pauser| pauser.parse().ok() != Some(brake.pause.address));
        if let Some(pauser) = own.filter(|_| !module.paused) {
            let _ = writeln!(text, "  {} can also be paused at once by its pauser {pauser}: pause()", module.name);
        }
    }
    for (name, settlers) in &seen.unreached {
        let _ = writeln!(text, "  no pause reaches {name}{}", settlers_of(settlers));
    }
    text
}

fn settlers_of(settlers: &[Settler]) -> String {
    let told = |(who, may): &Settler| match may {
        Some(true) => format!("{who} may settle"),
        Some(false) => format!("{who} is off"),
        None => format!("{who} could not be read"),
    };
    let told: Vec<String> = settlers.iter().map(told).collect();
    if told.is_empty() { String::new() } else { format!("; declared settlers: {}", told.join(", ")) }
}

/// A contract by address and name.
fn named(known: &Known) -> String {
    format!("{} (`{}`)", checksum(known.address), known.name)
}

/// Writes the files for a Safe into the first of `folders` that takes them; else they are part of the text.
pub(super) fn files(
    brake: &Brake,
    network: &Network,
    (direct, halves): (&[Call], Option<&Halves>),
    folders: &[&Path],
) -> String {
    let mut text = "\nfor the Safe Transaction Builder:\n".to_owned();
    let mut add = |name: &str, calls: &[Call], note: &str| {
        if calls.is_empty() {
            return;
        }
        let safe = brake.safe.as_ref().map(|safe| safe.address);
        let created = Timestamp::now().as_millisecond();
        let file = safe_file(network.chain_id, safe, name, created, calls);
        let written = folders.iter().find_map(|folder| {
            let path = folder.join(name);
            write_file(&path, file.as_bytes()).ok().map(|()| path)
        });
        let _ = match written {
            Some(path) => writeln!(text, "  {}  {note}", path.display()),
            None => writeln!(text, "  {name} could not be written anywhere; {note}:\n{file}"),
        };
    };
    if let Some(halves) = halves {
        add("schedule.safe.json", &halves.schedule, "first: schedules at the timelock");
        add("execute.safe.json", &halves.execute, "then, after the delay: executes");
    }
    let is_timelock = brake.governor.as_ref().is_some_and(|governor| governor.kind == ContractKind::Timelock);
    let note = if halves.is_some() || is_timelock { "only where a Safe governs directly" } else { "the direct calls" };
    add("direct.safe.json", direct, note);
    text
}
