//! Whatever endpoints below the `agree` count answer, a gate never passes unless the honest ones alone would pass it.
//! `CITADEL_LIES=5000` tries more of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use citadel::chain::{EndpointUrl, Limits, Target};
use citadel::runbook::ContractKind;
use citadel::verdict::Verdict;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::attacks::NAMES;
use crate::fault::{Fault, Faults};
use crate::scripted::{Reply, Scripted};
use crate::told::{CONTRACT, HEAD, reply};
use crate::world::{World, call, check, eq, network, reading};

/// Patience for liars is short here: a late honest answer makes a case say nothing, never something wrong.
const QUICK: Limits = Limits {
    connect: Duration::from_millis(300),
    request: Duration::from_millis(500),
    round: Duration::from_millis(600),
    total: Duration::from_secs(2),
};

/// What the chain really is. The first is the only one that may pass.
const TRUTHS: [&[Fault]; 8] = [
    &[],
    &[Fault::SaysPaused],
    &[Fault::PausedLately],
    &[Fault::BoolTwo],
    &[Fault::NoCode],
    &[Fault::Delegates],
    &[Fault::RevertsBarely],
    &[Fault::Stale],
];

/// Other chains that a liar can tell of.
const STORIES: [Fault; 14] = [
    Fault::None,
    Fault::None,
    Fault::SaysPaused,
    Fault::Lags,
    Fault::LagsFar,
    Fault::Stale,
    Fault::OtherHash,
    Fault::OtherGenesis,
    Fault::IgnoresHashes,
    Fault::NoCode,
    Fault::RevertsOnCalls,
    Fault::BoolTwo,
    Fault::Reorganised,
    Fault::GoesBackwards,
];

/// Numbers from a seed, so that a case can be told again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}

/// A liar: keeps to one story, with slips of every kind, more or less often.
fn lie(truth: &'static [Fault], seed: u64, turns: &AtomicUsize, asked: &Value) -> Reply {
    let turn = turns.fetch_add(1, Ordering::SeqCst) as u64;
    let mut dice = Dice(seed.wrapping_add(turn.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
    let story = STORIES[Dice(seed).roll(STORIES.len())];
    let faults =
        if Dice(seed ^ 1).roll(2) == 0 { Faults::of(&[story]) } else { Faults::of(&[truth, &[story]].concat()) };
    let often = 2 + Dice(seed ^ 2).roll(20);
    let mut one = |asked: &Value| {
        let mut answer = reply(&faults.after(turn > 0), asked);
        if dice.roll(often) == 0 {
            slip(&mut dice, &mut answer);
        }
        answer
    };
    let mut answer = match asked {
        Value::Array(all) => Value::Array(all.iter().map(&mut one).collect()),
        asked => one(asked),
    };
    if let (Value::Array(all), 0) = (&mut answer, dice.roll(often)) {
        let (a, b) = (dice.roll(all.len()), dice.roll(all.len()));
        match dice.roll(4) {
            0 => drop(all.remove(a)),
            1 => all.push(all[a].clone()),
            2 => all.swap(a, b),
            _ => {
                let (one, other) = (all[a]["id"].clone(), all[b]["id"].clone());
                all[a]["id"] = other;
                all[b]["id"] = one;
            }
        }
    }
    let mut body = answer.to_string().into_bytes();
    if dice.roll(often * 4) == 0 {
        body.truncate(dice.roll(body.len()));
    }
    let status = if dice.roll(often * 4) == 0 { "404 Not Found" } else { "200 OK" };
    Reply { status, headers: "", body }
}

/// One answer made wrong.
fn slip(dice: &mut Dice, answer: &mut Value) {
    let values = [
        json!("0x"),
        json!(null),
        json!(true),
        json!("0x5f"),
        json!(format!("0x{:064x}", 0)),
        json!(format!("0x{:064x}", 1)),
        json!(format!("{:#x}", HEAD - 40)),
        json!(format!("{:#x}", jiff::Timestamp::now().as_second())),
        json!("0xd93c0665"),
        json!({ "number": "0x64" }),
    ];
    let value = values[dice.roll(values.len())].clone();
    match dice.roll(4) {
        0 => answer["result"] = value,
        1 => *answer = json!({ "id": answer["id"], "error": { "code": 3, "message": "no", "data": value } }),
        2 => *answer = json!({ "id": answer["id"], "error": { "code": -32000, "message": "header not found" } }),
        _ if answer["result"].is_object() => {
            let field = ["number", "hash", "timestamp"][dice.roll(3)];
            answer["result"][field] = value;
        }
        _ => answer["result"] = value,
    }
}

/// So many honest endpoints and liars, what must agree, what is true, and where the liars stand.
#[derive(Debug, Clone)]
struct Case {
    truth: usize,
    honest: usize,
    liars: Vec<u64>,
    more: usize,
    turn: usize,
}

fn case() -> impl Strategy<Value = Case> {
    (0..TRUTHS.len(), 1..3usize, prop::collection::vec(any::<u64>(), 1..3), 1..3usize, 0..4usize).prop_map(
        |(truth, honest, mut liars, more, turn)| {
            liars.truncate(3 - honest);
            let more = more.min(honest);
            Case { truth, honest, liars, more, turn }
        },
    )
}

async fn verdict(agree: usize, endpoints: Vec<EndpointUrl>) -> Verdict {
    let mut network = network(31337, agree, &NAMES[..endpoints.len()]);
    network.max_block_age = Some(Duration::from_hours(2));
    let target = Target { network: &network, endpoints, unusable: vec![], limits: QUICK };
    let world = World::default().with("system", ContractKind::Plain, CONTRACT.parse().unwrap());
    let checks = [check("it", call("system", "paused()(bool)", vec![eq(false)]))];
    reading(&target, &world, &checks, &[]).await.verdict()
}

async fn judged(case: &Case) -> Verdict {
    let truth = TRUTHS[case.truth];
    let mut servers = Vec::new();
    for _ in 0..case.honest {
        servers.push(Scripted::with(truth).await);
    }
    for seed in case.liars.clone() {
        let turns = AtomicUsize::new(0);
        let answer = move |asked: &Value| lie(truth, seed, &turns, asked);
        servers.push(Scripted::answering(Arc::new(answer)).await);
    }
    let turn = case.turn % servers.len();
    servers.rotate_left(turn);
    let endpoints = servers.iter().zip(NAMES).map(|(server, name)| server.endpoint(name)).collect();
    verdict(case.liars.len() + case.more, endpoints).await
}

#[test]
fn fewer_than_agree_liars_open_no_gate() {
    #[expect(clippy::disallowed_methods, reason = "the test's own switch")]
    let cases = std::env::var("CITADEL_LIES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(96);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let nobody = Case { truth: 0, honest: 3, liars: Vec::new(), more: 3, turn: 0 };
    assert_eq!(runtime.block_on(judged(&nobody)), Verdict::Passed, "where nobody lies");
    let ran = runner.run(&case(), |case| {
        let found = runtime.block_on(judged(&case));
        if found == Verdict::Passed {
            // The honest ones alone pass nothing but the first truth: the attacks show it of each.
            prop_assert_eq!(case.truth, 0, "fewer than {} liars opened the gate", case.liars.len() + case.more);
        }
        Ok(())
    });
    ran.unwrap();
}
