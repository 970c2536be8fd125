//! One run as its journal's records, for the tests of everything that tells.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::event::{
    Artefact, BlockRef, Deployment, Event, GateJudged, Guards, PhaseOutline, Program, PublishedFile, RunContinued,
    RunOpened, SignOffRequested, StepEnded, StepOutcome, StepOutline, StepStarted,
};
use crate::journal::Entry;
use crate::process::{Ended, Fence, Started};
use crate::runbook::{PhaseId, StepId};
use crate::verdict::{CheckResult, Verdict};

/// Records of `events`, one second apart.
pub(crate) fn entries(events: Vec<Event>) -> Vec<Entry> {
    let start: Timestamp = "2026-11-22T19:40:05Z".parse().unwrap();
    let hash = |number: usize| format!("{number:064x}");
    let entry = |(index, event): (usize, Event)| Entry {
        v: 1,
        seq: index as u64 + 1,
        prev: hash(index),
        time: start + SignedDuration::from_secs(i64::try_from(index).unwrap()),
        event,
        hash: hash(index + 1),
    };
    events.into_iter().enumerate().map(entry).collect()
}

pub(crate) fn phase(id: &str) -> PhaseId {
    PhaseId(id.into())
}

pub(crate) fn step(id: &str) -> StepId {
    StepId(id.into())
}

pub(crate) fn outlines() -> Vec<PhaseOutline> {
    let step = |id: &str, title: &str, differs: Option<&str>| StepOutline {
        id: StepId(id.into()),
        title: title.into(),
        definition: "d".into(),
        differs: differs.map(str::to_owned),
    };
    vec![
        PhaseOutline {
            id: phase("1"),
            title: "Governance Posture".into(),
            gate: "Governance operators sign off".into(),
            digest: "1d".into(),
            steps: vec![
                step("1.atlas", "Snapshot every governance surface", None),
                step("1.plan-safe", "Emit the Safe transaction bundle", Some("the prose names no network")),
            ],
            waivers: std::collections::BTreeMap::new(),
        },
        PhaseOutline {
            id: phase("2"),
            title: "Mission Staging".into(),
            gate: "No blocking risk codes".into(),
            digest: "2d".into(),
            steps: vec![step("2.dry-run", "Run the mission against Anvil", None)],
            waivers: std::collections::BTreeMap::new(),
        },
    ]
}

fn guards() -> Guards {
    let git = Program { path: "/usr/bin/git".into(), sha256: "61".repeat(32) };
    Guards { fence: Some(Fence::Closed), programs: [("git".to_owned(), git)].into() }
}

pub(crate) fn opened() -> RunOpened {
    RunOpened {
        run: "2026-11-22T19-40-05Z".into(),
        citadel: "0.1.0".into(),
        runbook: "astral-citadel".into(),
        title: "Astral Citadel Operations Runbook".into(),
        runbook_sha256: "5a".repeat(32),
        network: "local".into(),
        chain_id: 31337,
        workspace: "/repo/practice".into(),
        reports: "/repo/reports/local/astral-citadel".into(),
        folder: "/state/astral-citadel/local/2026-11-22T19-40-05Z".into(),
        practice: true,
        commit: Some("c0ffee".into()),
        operator: "ann".into(),
        host: "tower".into(),
        tools: std::collections::BTreeMap::default(),
        phases: outlines(),
        contingencies: std::collections::BTreeMap::new(),
        guards: guards(),
    }
}

pub(crate) fn continued() -> Event {
    Event::RunContinued(RunContinued {
        citadel: "0.1.0".into(),
        operator: "bob".into(),
        host: "keep".into(),
        tools: std::collections::BTreeMap::default(),
        runbook_sha256: "5a".repeat(32),
        commit: Some("c0ffee".into()),
        workspace: String::new(),
        reports: String::new(),
        phases: outlines(),
        contingencies: std::collections::BTreeMap::new(),
        guards: guards(),
    })
}

pub(crate) fn started(id: &str, attempt: u32) -> Event {
    Event::StepStarted(StepStarted {
        step: step(id),
        attempt,
        command: format!("npm run -s {id}"),
        env: vec!["ANVIL_RPC_URL".into()],
        log: format!("logs/{id}.{attempt}.log"),
        definition: "d".into(),
        commit: None,
        inputs: std::collections::BTreeMap::new(),
        after_block: None,
        finalized: None,
    })
}

pub(crate) fn ended(id: &str, attempt: u32, outcome: StepOutcome) -> StepEnded {
    StepEnded { outcome, milliseconds: 3149, ..StepEnded::done(step(id), attempt) }
}

pub(crate) fn failed(id: &str, attempt: u32) -> StepEnded {
    StepEnded {
        milliseconds: 2049,
        evidence: vec![
            CheckResult::failed("owner-safe-bundle.json", "file", "`$.transactions` has 0 entries")
                .expected("at least 1")
                .observed(json!(0)),
        ],
        reason: Some("its evidence does not hold: owner-safe-bundle.json".into()),
        tail: vec!["Plan: 0 actions".into(), "wrote owner-safe-bundle.json \u{1b}[32mok\u{1b}[0m".into()],
        ..ended(id, attempt, StepOutcome::Failed)
    }
}

fn with_artefact(id: &str, attempt: u32) -> StepEnded {
    StepEnded {
        artefacts: vec![Artefact {
            name: "bundle.json".into(),
            path: format!("artefacts/{id}.{attempt}.bundle.json"),
            sha256: "bb".repeat(32),
            bytes: 2048,
            source: "owner-safe-bundle.json".into(),
        }],
        ..ended(id, attempt, StepOutcome::Done)
    }
}

pub(crate) fn judged(gate: &str, verdict: Verdict, results: Vec<CheckResult>) -> Event {
    Event::GateJudged(GateJudged {
        gate: phase(gate),
        verdict,
        network: "local".into(),
        block: Some(BlockRef { number: 57, hash: format!("0x{}", "12ab".repeat(16)), time: 1_795_376_405 }),
        finalized: None,
        results,
        record: format!("gates/{gate}.9.json"),
        record_sha256: "ee".repeat(32),
        definition: format!("{gate}d"),
        heads: BTreeMap::new(),
        notes: Vec::new(),
    })
}

pub(crate) fn passed_results() -> Vec<CheckResult> {
    vec![
        CheckResult::passed("step 1.atlas", "step", "done by attempt 1"),
        CheckResult::passed("not-paused", "pause", "8 modules running"),
    ]
}

pub(crate) fn request(gate: &str) -> SignOffRequested {
    SignOffRequested {
        gate: phase(gate),
        nonce: "0123abcd".into(),
        statement: format!("sign-offs/{gate}.0123abcd/statement.txt"),
        sha256: "5e".repeat(32),
        expires: "2026-11-23T19:40:05Z".into(),
        threshold: 2,
        signers: vec!["signer-1".into(), "signer-2".into(), "signer-3".into()],
        journal_sequence: 8,
        journal_hash: "88".repeat(32),
        block: None,
        sentence: "I reviewed the diff.".into(),
        covers: vec![("bundle.json".into(), "bb".repeat(32))],
        not: Vec::new(),
        ways: std::collections::BTreeMap::new(),
        voids: Vec::new(),
    }
}

pub(crate) fn signed(gate: &str, who: &str) -> Event {
    Event::SignOffAccepted {
        gate: phase(gate),
        nonce: "0123abcd".into(),
        who: who.into(),
        key: "SHA256:UCUiLr7Pjs9wFFJMDByLgc3NrtdU344OgUM45wZPcIQ".into(),
        signature: format!("sign-offs/{gate}.0123abcd/{who}.sig"),
    }
}

/// A run with everything in it: a failed attempt, a failed gate, people, a second invocation, an open end.
pub(crate) fn events() -> Vec<Event> {
    let failing = CheckResult::failed("not-paused", "pause", "1 of 8 modules is paused: fee_pool")
        .expected("running")
        .observed(json!({ "paused": ["fee_pool"] }))
        .hint("cast call 0x33 'paused()(bool)' --block 57 --rpc-url $ANVIL_RPC_URL");
    vec![
        Event::RunOpened(opened()),
        Event::DevChainStarted { url: "http://127.0.0.1:41873".into(), pid: 77, start_time: 5, kept: false },
        Event::DevChainReady(Deployment {
            contracts: [("SystemPause".to_owned(), "0x33".to_owned())].into(),
            signers: std::collections::BTreeMap::new(),
        }),
        started("1.atlas", 1),
        Event::StepSpawned {
            step: step("1.atlas"),
            attempt: 1,
            process: Started { pid: 80, group: 80, start_time: 6 },
        },
        Event::StepEnded(ended("1.atlas", 1, StepOutcome::Done)),
        started("1.plan-safe", 1),
        Event::StepEnded(failed("1.plan-safe", 1)),
        Event::RunEnded { complete: false, secrets: 0 },
        continued(),
        started("1.plan-safe", 2),
        Event::StepEnded(with_artefact("1.plan-safe", 2)),
        judged("1", Verdict::Failed, vec![passed_results()[0].clone(), failing]),
        Event::RunEnded { complete: false, secrets: 0 },
        continued(),
        Event::SignOffRequested(request("1")),
        signed("1", "signer-1"),
        signed("1", "signer-2"),
        judged("1", Verdict::Passed, passed_results()),
        Event::Published {
            files: vec![PublishedFile {
                path: "governance.md".into(),
                sha256: "99".repeat(32),
                bytes: 512,
                deliverable: Some("governance".into()),
            }],
        },
        started("2.dry-run", 1),
        Event::StepEnded(StepEnded {
            ended: Ended::Exited(1),
            reason: Some("it ended with 1 after its transaction was sent".into()),
            ..ended("2.dry-run", 1, StepOutcome::Indeterminate)
        }),
        Event::StepDecided {
            step: step("2.dry-run"),
            attempt: 1,
            happened: false,
            by: "bob".into(),
            reason: "no transaction of the deployer".into(),
        },
    ]
}
