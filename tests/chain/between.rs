//! What one judgement tells the next of the same run: how far the chain was seen, and whether somebody asked it to stop.

use citadel::chain::{Seen, Target};
use citadel::runbook::Check;
use citadel::verdict::Verdict::{Passed, Unknown};

use crate::endpoints::{NAMES, is, not_paused, world};
use crate::fault::Fault;
use crate::scripted::Scripted;
use crate::told::HEAD;
use crate::world::{SHORT, World, network, reading};

/// What an earlier judgement of the same run saw: a block that was read, and what the first endpoint told.
fn seen(read: u64, head: u64) -> World {
    World { seen: Seen { read, heads: [(NAMES[0].to_owned(), head)].into() }, ..world() }
}

#[tokio::test]
async fn a_head_behind_what_the_run_has_read_does_not_count() {
    let (honest, behind) = (Scripted::start(Fault::None).await, Scripted::start(Fault::Lags).await);
    let judged = async |agree: usize, seen: World| {
        let network = network(31337, agree, &NAMES[..2]);
        let endpoints = vec![behind.endpoint(NAMES[0]), honest.endpoint(NAMES[1])];
        let target = Target { network: &network, endpoints, unusable: vec![], limits: SHORT };
        reading(&target, &seen, &not_paused(), &[]).await
    };
    let told = "`A_RPC_URL` (127.0.0.1";
    let note = "its head went backwards, from block 100 to 99";
    let lags = "went backwards: its newest block is 99, and this run has read block 100";
    // Within what was read, a head that is older than before is only noted.
    let noted = judged(2, seen(HEAD - 1, HEAD)).await;
    is(&noted, Passed, "");
    assert!(noted.notes.iter().any(|one| one.starts_with(told) && one.ends_with(note)), "{:?}", noted.notes);
    assert_eq!(noted.endpoints[0].happened, [note]);
    // Behind a block that was read, it is not counted; the verdict is the others'.
    is(&judged(1, seen(HEAD, HEAD)).await, Passed, "");
    is(&judged(2, seen(HEAD, HEAD)).await, Unknown, lags);
    is(&judged(2, seen(0, 0)).await, Passed, "");
}

#[tokio::test]
async fn a_head_behind_what_the_run_has_read_is_waited_for() {
    let server = Scripted::start(Fault::None).await;
    let mut network = network(31337, 1, &NAMES[..1]);
    network.settle = std::time::Duration::from_secs(1);
    let endpoints = vec![server.endpoint(NAMES[0])];
    let target = Target { network: &network, endpoints, unusable: vec![], limits: SHORT };
    let world = seen(HEAD + 50, HEAD + 60);
    let reading = reading(&target, &world, &not_paused(), &[]).await;
    is(&reading, Unknown, "its newest block is 100, and this run has read block 150");
    assert!(world.waits.lock().unwrap().iter().all(|wait| wait.block == HEAD + 50));
    assert!(!world.waits.lock().unwrap().is_empty());
}

#[tokio::test]
async fn whoever_is_asked_to_stop_waits_no_longer() {
    let server = Scripted::start(Fault::None).await;
    let mut network = network(31337, 1, &NAMES[..1]);
    network.settle = std::time::Duration::from_hours(1);
    let endpoints = vec![server.endpoint(NAMES[0])];
    let target = Target { network: &network, endpoints, unusable: vec![], limits: SHORT };
    let world = World { stopped: true, ..world() };
    let checks = not_paused();
    let checks: Vec<&Check> = checks.iter().collect();
    let reading = citadel::chain::judge(&target, &checks, &[], &world, Some(HEAD + 7)).await;
    is(&reading, Unknown, "citadel was asked to stop while it waited: block 107 must be read");
}
