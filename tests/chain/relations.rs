//! Checks that are compared with what other checks of the same judgement observe.

use std::time::Duration;

use citadel::chain::{Reading, replay};
use citadel::runbook::{Check, CheckKind, ContractKind, Operand, Place as Somewhere, Predicate, Timelock};
use citadel::verdict::CheckResult;
use citadel::verdict::Verdict::{Failed, Passed, Unknown};
use ethers::abi::Token;
use ethers::types::Address;
use serde_json::Value;

use crate::bytecode::{Does, number, runtime, word};
use crate::contracts::{TIMELOCK, creation};
use crate::kinds::Place;
use crate::world::{call, check, eq, reading, says};

fn of(check: &str, at: &str) -> Operand {
    Operand::Observed { check: check.to_owned(), at: at.to_owned(), place: Somewhere::default() }
}

fn same_as(check: &str, at: &str) -> Predicate {
    Predicate::Eq(of(check, at))
}

/// A pool whose functions answer numbers, one of which is malformed as a `uint8`, and a real timelock.
async fn place() -> Place {
    let mut place = Place::new().await;
    let list = |who| Token::Array(vec![Token::Address(who)]);
    let (ann, nobody) = (place.accounts[1], Address::zero());
    let timelock =
        place.deploy(&creation(TIMELOCK), &[number(100), list(ann), list(ann), Token::Address(nobody)]).await;
    let functions = [
        ("configured()", word(1)),
        ("burnPct()", word(100)),
        ("big()", word(u64::MAX)),
        ("none()", Does::Reverts(vec![])),
    ];
    let pool = Address::from_low_u64_be(0x00c0_de77);
    place.anvil.set_code(pool, &runtime(&functions)).await;
    place.name("pool", ContractKind::Plain, pool);
    place.name("timelock", ContractKind::Timelock, timelock);
    place.name("ann", ContractKind::Plain, ann);
    place
}

fn getter(name: &str, rules: Vec<Predicate>) -> CheckKind {
    call("pool", &format!("{name}()(uint256)"), rules)
}

impl Place {
    async fn read(&self, checks: &[Check]) -> Reading {
        let reading = reading(&self.target(), &self.world, checks, &[]).await;
        let (block, all) = (reading.block.unwrap(), checks.iter().collect::<Vec<_>>());
        let again = replay(&self.network, &reading, block, &all, &[], &self.world).await;
        assert!(again.problems.is_empty(), "{:?}", again.problems);
        let judged = |results: &[CheckResult]| -> Vec<(citadel::verdict::Verdict, String, Value)> {
            results.iter().map(|one| (one.verdict, one.message.clone(), one.observed.clone())).collect()
        };
        assert_eq!(judged(&again.results), judged(&reading.results), "a record says the same");
        reading
    }
}

#[tokio::test]
async fn values_of_other_checks() {
    let place = place().await;
    let reading = place
        .read(&[
            // Named before what it is compared with.
            check("burn", getter("burnPct", vec![same_as("configured", "$")])),
            check("configured", getter("configured", vec![eq(1)])),
            check("less", getter("configured", vec![Predicate::Lt(of("burn", "$"))])),
            check("of-failed", getter("burnPct", vec![same_as("burn", "$")])),
            check(
                "timelock",
                CheckKind::Timelock(Timelock {
                    of: "timelock".to_owned(),
                    min_delay: Some(Duration::from_secs(1)),
                    proposer: Some("ann".to_owned()),
                    ..Timelock::default()
                }),
            ),
            check("delay", getter("burnPct", vec![same_as("timelock", "$.delay")])),
            check("shorter", getter("configured", vec![Predicate::Ge(of("timelock", "$.delay"))])),
        ])
        .await;
    let [burn, configured, less, of_failed, timelock, delay, shorter] = &reading.results[..] else { panic!("seven") };
    says(burn, Failed, &["`burnPct()` of", "expected \"1\" (what `configured` observed), saw \"100\""]);
    assert!(burn.reproduce.as_ref().unwrap().contains("burnPct()(uint256)"));
    says(configured, Passed, &[]);
    says(less, Passed, &[]);
    // What a failed check observed is what the chain says all the same.
    says(of_failed, Passed, &[]);
    says(timelock, Passed, &[]);
    says(delay, Passed, &[]);
    says(shorter, Failed, &["expected at least \"100\" (`$.delay` of what `timelock` observed), saw \"1\""]);
}

#[tokio::test]
async fn what_is_not_known_of_another_check_is_unknown() {
    let place = place().await;
    let reading = place
        .read(&[
            check("reverts", getter("none", vec![eq(1)])),
            check("malformed", call("pool", "big()(uint8)", vec![eq(1)])),
            check("a", getter("burnPct", vec![same_as("reverts", "$")])),
            check("b", getter("burnPct", vec![Predicate::Ne(of("malformed", "$"))])),
            check("c", getter("burnPct", vec![same_as("nowhere", "$")])),
            check("d", getter("burnPct", vec![same_as("a", "$.part")])),
            // Refused when a runbook is read; here nothing else stops it.
            check("one", getter("burnPct", vec![same_as("two", "$")])),
            check("two", getter("burnPct", vec![same_as("one", "$")])),
        ])
        .await;
    let said = |id: &str, words: &str| {
        says(reading.results.iter().find(|result| result.id == id).unwrap(), Unknown, &[words]);
    };
    said("a", "what `reverts` observed is not known: `none()` of");
    said("b", "what `malformed` observed is not known: `big()` of");
    said("c", "`nowhere` was not judged together with this check");
    said("d", "what `a` observed is not known");
    said("one", "could not finish this check");
    said("two", "could not finish this check");
}
