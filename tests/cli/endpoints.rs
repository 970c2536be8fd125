//! A kept chain that goes away, or that another chain takes the place of: nothing passes by it.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use citadel::devchain::Record;
use citadel::event::Event;
use citadel::process::is_alive;
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::json;

use super::builder::Test;
use super::fixture::{anvil, rpc};
use super::stub::{Pipe, step, stub_on_chain, stub_with_chain};

fn record(test: &Test) -> Record {
    let file = test.state().join("stub/local/devchain/devchain.json");
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

/// Another chain on the port of the one that is gone.
struct Impostor(Child);

impl Impostor {
    fn start(test: &Test, port: u16, chain_id: &str) -> Self {
        Self::listening(test, port, chain_id).0
    }

    /// The same with its URL; port 0 is one of its own choice.
    fn listening(test: &Test, port: u16, chain_id: &str) -> (Self, String) {
        let mut command = Command::new(anvil());
        command.args(["--port", &port.to_string(), "--chain-id", chain_id]).env_clear().envs(test.env());
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let at = lines.find_map(|line| line.strip_prefix("Listening on ").map(str::to_owned)).expect("Anvil listens");
        std::thread::spawn(move || lines.for_each(drop));
        (Self(child), format!("http://{at}"))
    }
}

impl Drop for Impostor {
    fn drop(&mut self) {
        let group = Pid::from_raw(i32::try_from(self.0.id()).unwrap()).unwrap();
        let _ = kill_process_group(group, Signal::KILL);
        let _ = self.0.wait();
    }
}

#[test]
fn the_chain_that_was_judged_is_gone_or_another() {
    let (test, _watchdog) = stub_on_chain(&step("hello", "echo hello", ""));
    test.citadel("devchain up").code(0).says("already up");
    test.citadel("run --local").code(0).says("COMPLETE");
    test.citadel("gate verify --local").code(0);
    let record = record(&test);
    let group = Pid::from_raw(i32::try_from(record.process.group).unwrap()).unwrap();

    kill_process_group(group, Signal::STOP).unwrap();
    test.citadel("gate verify --local").code(11).says("Gate 1 UNKNOWN").says("`ANVIL_RPC_URL` (127.0.0.1");
    kill_process_group(group, Signal::KILL).unwrap();
    while is_alive(&record.process) {
        std::thread::yield_now();
    }
    let gone = || {
        let outcome = test.citadel("gate verify --local").code(11).says("Gate 1 UNKNOWN");
        outcome.says("the dev chain of this run has ended").says("citadel devchain up").says("citadel run --local");
        test.citadel("devchain status").code(15).says("citadel devchain up");
    };
    gone();
    // Whatever answers at its address now is another chain, even one that calls itself the same.
    for chain_id in ["5", "31337"] {
        let _impostor = Impostor::start(&test, record.port, chain_id);
        gone();
    }

    test.citadel("run --local").code(0).says("COMPLETE");
    assert_eq!(test.runs("stub", "local").len(), 2, "a run lives as long as its chain");
    assert_eq!(test.processes(), [""; 0]);
    test.citadel("gate verify --local").code(11).says("the dev chain of this run has ended");
}

#[test]
fn a_kept_chain_is_taken_down() {
    let (test, _watchdog) = stub_on_chain(&step("hello", "echo hello", ""));
    test.citadel("devchain status").code(0).says("pid").says("citadel devchain down");
    let record = record(&test);
    test.citadel("devchain down").code(0).says("is ended");
    assert!(!is_alive(&record.process));
    test.citadel("devchain down").code(0).says("no dev chain was kept up");
    test.citadel("devchain status").code(15);
    assert_eq!(test.processes(), [""; 0]);
}

#[test]
fn without_a_chain_nothing_can_be_said_of_it() {
    let (test, _watchdog) = stub_on_chain(&step("hello", "echo hello", ""));
    test.citadel("gate verify --local").code(0).says("no run: the chain checks alone were judged");
    test.citadel("devchain down").code(0);
    test.citadel("gate verify --local").code(11).says("hint").says("citadel devchain up");
}

#[test]
fn a_gate_that_reads_a_chain_that_hangs_can_be_interrupted() {
    let (test, _watchdog) = stub_on_chain(&step("freeze", "kill -STOP -$(cat ../group)", ""));
    let group = Pid::from_raw(i32::try_from(record(&test).process.group).unwrap()).unwrap();
    std::fs::write(test.root().join("group"), group.to_string()).unwrap();
    for signals in [[Signal::INT].as_slice(), &[Signal::TERM, Signal::INT]] {
        let mut running = test.start("run --local --new");
        running.until("gate 1: reading the chain");
        for signal in signals {
            running.signal(*signal);
        }
        let outcome = running.finish();
        kill_process_group(group, Signal::CONT).unwrap();
        // The second of two signals may come before the first was seen.
        assert!(outcome.code == 130 || signals[0] == Signal::TERM && outcome.code == 143, "{outcome:?}");
        outcome.says("interrupted by").says("run the same command again");
    }
    assert_eq!(test.processes().len(), 2, "Anvil and what started it: {:?}", test.processes());
}

#[test]
fn an_interrupted_run_ends_its_own_chain() {
    let (test, _watchdog) = stub_with_chain(&step("wait", "echo $$ > ready; sleep 600 & wait", "needs = [\"rpc\"]"));
    let ready = Pipe::new(&test.path("ready"));
    let running = test.start("run --local");
    ready.wait();
    assert!(!chains(&test).is_empty());
    running.signal(Signal::INT);
    running.finish().code(130);
    assert_eq!(test.processes(), [""; 0]);
}

#[test]
fn the_chain_of_a_citadel_that_was_killed_is_ended_by_the_next() {
    let line = "test -e second && exit 0; touch second; echo $$ > ready; exec sleep 600";
    let (test, _watchdog) = stub_with_chain(&step("wait", line, "needs = [\"rpc\"]"));
    let ready = Pipe::new(&test.path("ready"));
    let running = test.start("run --local");
    let step: i32 = ready.wait().parse().unwrap();
    running.signal(Signal::KILL);
    running.finish().code(-1);
    kill_process_group(Pid::from_raw(step).unwrap(), Signal::KILL).unwrap();
    assert!(!chains(&test).is_empty(), "the chain goes on without its citadel");
    test.citadel("run --local").code(0).says("COMPLETE");
    assert_eq!(test.processes(), [""; 0]);
}

/// Chains that run in the folder of a test.
fn chains(test: &Test) -> Vec<String> {
    test.processes().into_iter().filter(|process| process.contains("anvil")).collect()
}

/// Two phases with a gate each, on a chain that is none of citadel's own.
const TWO_GATES: &str = r#"
format = 1
[runbook]
id = "two"
title = "Two"
reports = "reports"
[workspace]
marker = "runbook.toml"
[network.net]
chain_id = 31337
rpc = ["A_RPC_URL", "B_RPC_URL"]
agree = 1
block = "latest"
settle = "2s"
[contract.system]
kind = "plain"
address = { net = "0x00000000000000000000000000000000000c0dE1" }
[[invariant]]
id = "zero"
call = { of = "system", function = "zero()(uint256)", eq = 0 }
[[phase]]
id = "1"
title = "One"
step = [{ id = "one", title = "One", shell = "true", effects = "none" }]
gate = { title = "One" }
[[phase]]
id = "2"
title = "Two"
step = [{ id = "two", title = "Two", shell = "true", effects = "none" }]
gate = { title = "Two" }
"#;

#[test]
fn a_chain_that_goes_back_between_two_gates_opens_nothing() {
    let test = Test::empty();
    let (_anvil, url) = Impostor::listening(&test, 0, "31337");
    let mine = |blocks: u64| drop(rpc(&url, "anvil_mine", &json!([format!("{blocks:#x}")])));
    rpc(&url, "anvil_setCode", &json!(["0x00000000000000000000000000000000000c0dE1", "0x60206000f3"]));
    mine(5);
    test.write("runbook.toml", TWO_GATES);
    // Nothing listens there; one of two is enough.
    let test = test.set("A_RPC_URL", &url).set("B_RPC_URL", "https://127.0.0.1:1/v3/secretkey");
    test.citadel("run --phase 1 --network net").code(0).says("Gate 1 PASSED block 5").says("note: `B_RPC_URL`");

    rpc(&url, "anvil_rollback", &json!([2]));
    let behind = "went backwards: its newest block is 3, and this run has read block 5";
    let verified = test.citadel("gate verify 1 --network net").code(11).says(behind).never_says("secretkey");
    // Where nothing can move, the wait is one plain line, and stdout has the verdict alone.
    let waits = verified.stderr.lines().filter(|line| line.contains("gate 1 waits for a block: block 5 must be read"));
    assert_eq!((waits.count(), verified.stderr.lines().count()), (1, 1), "{}", verified.stderr);
    assert!(!verified.stderr.contains(['\r', '\u{1b}']) && !verified.stdout.contains("waits for a block:"));
    test.citadel("run --phase 2 --network net").code(11).says(behind).says("gate 2 waits for a block: block 5");
    let mut judged = test.journal("two", "net").into_iter().filter_map(|entry| match entry.event {
        Event::GateJudged(judged) => Some(judged),
        _ => None,
    });
    let last = judged.next_back().unwrap();
    assert!(last.notes.iter().any(|note| note.contains(behind)), "{:?}", last.notes);
    let record = std::fs::read_to_string(test.runs("two", "net")[0].join(last.record)).unwrap();
    assert!(record.contains("its head went backwards, from block 5 to 3"), "{record}");

    mine(3);
    test.citadel("run --phase 2 --network net").code(0).says("Gate 2 PASSED block 6");
}

#[test]
fn a_variable_without_a_url_is_told_from_one_that_is_not_set() {
    let test = Test::empty().set("B_RPC_URL", "http://eth.example.com/v3/secretkey");
    test.write("runbook.toml", TWO_GATES);
    test.write(".env", "A_RPC_URL=secretkey\n");
    let outcome = test.citadel("gate verify --network net").code(15).says("nothing was judged");
    let outcome = outcome.says("`A_RPC_URL` does not hold a URL (set in the workspace's `.env`)");
    let outcome = outcome.says("`B_RPC_URL` is a plain http URL; only https reaches other machines safely (set in the");
    outcome.never_says("is not set").never_says("secretkey");
    // Where the others are enough, it is a note.
    let (_anvil, url) = Impostor::listening(&test, 0, "31337");
    let test = test.set("A_RPC_URL", &url);
    let outcome = test.citadel("gate verify 1 --network net").says("note: `B_RPC_URL` is a plain http URL");
    outcome.never_says("secretkey").never_says("is not set");
}
