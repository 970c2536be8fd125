//! `citadel-report.md`: the outcome and what to know on page one, then every phase, gate, signature and file.

mod escape;
mod gate;
mod phase;
mod verify;

use std::collections::BTreeSet;

use escape::{code, table, text};

use super::{GateView, HandoverReport, Invocation, Report, StepReport, SuspensionReport, WaiverReport, blocks};
use jiff::Timestamp;

use crate::event::{BlockRef, HandedIn, LastRehearsal, StepOutcome};
use crate::process::Fence;
use crate::progress::StepState;
use crate::report::{outcome_words, signal_name};
use crate::text::{count, duration};
use crate::verdict::{CheckResult, Verdict};

/// What it is called where it is published.
pub const FILE: &str = "citadel-report.md";

/// What `gate verify` found.
pub(super) fn gates(views: &[GateView], note: &str) -> String {
    verify::render(views, note)
}

/// The report as Markdown.
pub fn render(report: &Report) -> String {
    let mut blocks = first_page(report);
    for phase in &report.phases {
        blocks.extend(phase::render(phase));
    }
    if !report.others.is_empty() {
        blocks.push("## Other steps".to_owned());
        blocks.extend(phase::steps(&report.others));
    }
    blocks.extend(files(report));
    blocks.extend(journal(report));
    blocks.join("\n\n") + "\n"
}

/// The run that a report says it is about; nothing where it is none of ours.
pub fn run_of(report: &str) -> Option<&str> {
    report.lines().find_map(|line| line.strip_prefix("| Run | `")?.strip_suffix("` |"))
}

/// Whether a report says that every gate passed.
pub fn says_complete(report: &str) -> bool {
    report.lines().any(|line| line.starts_with("> **COMPLETE**: "))
}

fn first_page(report: &Report) -> Vec<String> {
    let title = report.run.as_ref().map_or("No run", |run| run.title.as_str());
    let banner = format!("> **{}**: {}", report.outcome.word(), text(report.outcome.sentence()));
    let mut blocks = vec![format!("# {}", text(title)), banner];
    blocks.extend(facts(report));
    let know = to_know(report);
    blocks.push("## What to know".to_owned());
    blocks.push(know.iter().map(|line| format!("- {line}")).collect::<Vec<_>>().join("\n"));
    blocks
}

fn facts(report: &Report) -> Option<String> {
    let run = report.run.as_ref()?;
    let last = report.invocations.last()?;
    let mut rows = vec![
        ("Run", code(&run.run)),
        ("Network", format!("{} (chain {})", text(&run.network), run.chain_id)),
        ("Opened", format!("{} by {}", report.invocations[0].time, text(&format!("{}@{}", run.operator, run.host)))),
        ("Last record", report.head.time.map_or_else(String::new, |time| time.to_string())),
        ("Runbook", format!("{} {}", text(&run.runbook), code(&last.runbook_sha256))),
        ("Workspace", code(&run.workspace)),
        ("Workspace commit", last.commit.as_deref().map_or("not a repository".into(), code)),
        ("citadel", text(&last.citadel)),
    ];
    let proved = report.invocations.iter().filter_map(|one| Some((&one.operator, one.proved.as_ref()?)));
    rows.extend(proved.map(|(who, key)| ("Operator, proved", format!("{} by {}", text(who), code(key)))));
    if report.invocations.len() > 1 {
        rows.push(("Invocations", report.invocations.len().to_string()));
    }
    if report.invocations.iter().all(|one| one.guards.fence == Some(Fence::Closed)) {
        rows.push(("State folder", "closed to steps".to_owned()));
    }
    let used: BTreeSet<_> = report.invocations.iter().flat_map(|one| one.guards.programs.values()).collect();
    rows.extend(used.iter().map(|used| ("Program used", format!("{} {}", code(&used.path), code(&used.sha256)))));
    Some(table(&["", ""], rows.into_iter().map(|(name, value)| vec![name.to_owned(), value])))
}

/// What a reader must not miss, most serious first.
fn to_know(report: &Report) -> Vec<String> {
    let mut lines = Vec::new();
    let run = report.run.as_ref();
    if run.is_some_and(|run| run.practice) {
        lines.push("**Practice workspace.** Nothing here counts on any other network.".to_owned());
    }
    if report.dev_chain || run.is_some_and(|run| run.chain_id == 31337) {
        lines.push("**Local chain.** A chain on one machine, started for this run, proves the procedure alone.".into());
    }
    lines.extend(report.waivers.iter().map(waiver));
    lines.extend(report.suspensions.iter().map(suspension));
    lines.extend(report.steps().filter_map(open_question));
    lines.extend(report.steps().flat_map(unsuccessful));
    lines.extend(report.phases.iter().filter_map(gate::history));
    lines.extend(report.steps().flat_map(decisions));
    lines.extend(report.handed_in.iter().map(handed_in));
    lines.extend(report.invocations.iter().filter_map(|invocation| {
        let signal = signal_name(invocation.signal?);
        Some(format!("Interrupted by {signal}: the invocation of {}.", invocation.time))
    }));
    lines.extend(report.handovers.iter().map(handover));
    lines.extend(report.invocations.last().iter().flat_map(|last| contingencies(last)));
    lines.extend(report.invocations.iter().filter_map(|invocation| {
        let plan = code(invocation.plan.as_ref()?);
        Some(format!("The invocation of {} ran the plan {plan}, and no other.", invocation.time))
    }));
    let gaps: BTreeSet<_> = report.invocations.iter().filter_map(|one| one.guards.fence.as_ref()?.gap()).collect();
    lines.extend(gaps.iter().map(|gap| text(gap) + "."));
    lines.extend(changes(report));
    lines.extend(report.steps().filter_map(differs));
    lines.push(
        "The journal's records are chained by hash. They prove nothing against whoever owns the disk, unless its head \
         or a signature over it is kept elsewhere."
            .to_owned(),
    );
    lines
}

/// What the runbook accepts instead of what a check demands.
fn waiver(of: &WaiverReport) -> String {
    let crate::verdict::Waiver { expect, reason, until, by } = &of.waiver;
    let used =
        if of.used.is_empty() { "not needed so far".into() } else { format!("**used** at {}", of.used.join(", ")) };
    format!(
        "**Waiver** of check {}: {} is accepted until {until}, by {}: {}. It is {used}.",
        code(&of.check),
        code(&expect.to_string()),
        text(by),
        text(reason)
    )
}

/// How old the rehearsals of the contingencies were when citadel was last started.
fn contingencies(last: &Invocation) -> Vec<String> {
    let told = |(id, rehearsal): (&String, &Option<LastRehearsal>)| {
        let id = code(id);
        let Some(LastRehearsal { network, time, practice, changed }) = rehearsal else {
            return format!("Contingency {id} was **never rehearsed**, as far as the operator's machine knew.");
        };
        let then = time.parse::<Timestamp>().unwrap_or(last.time);
        let age = u64::try_from(last.time.duration_since(then).as_millis()).unwrap_or_default();
        let place = if *practice { " in the practice workspace" } else { "" };
        let changed = match changed.len() {
            0 => String::new(),
            changed => format!("; **{} of it changed since**", count(changed, "field")),
        };
        format!("Contingency {id} was last rehearsed {} before, on {}{place}{changed}.", duration(age), text(network))
    };
    last.contingencies.iter().map(told).collect()
}

/// The run went from one operator to another.
fn handover(of: &HandoverReport) -> String {
    let what = format!("**Handed over** by {} to {} at {}", text(&of.by), text(&of.to), of.time);
    let Some((time, taken)) = &of.taken else { return format!("{what}; not taken over yet.") };
    let block = |block: &Option<BlockRef>| {
        block.as_ref().map_or_else(String::new, |block| format!(" at block {}", block.number))
    };
    let gates: Vec<String> = taken.gates.iter().map(|(gate, at)| format!("{gate}{}", block(at))).collect();
    let again = match gates.as_slice() {
        [] => "no gate had passed".to_owned(),
        gates => format!("gates that passed again there: {}", gates.join(", ")),
    };
    format!("{what}; taken over at {time} on {}; {}.", text(&taken.host), text(&again))
}

/// A contingency that held the run up.
fn suspension(of: &SuspensionReport) -> String {
    let what = format!(
        "**Suspended** by contingency {} since {} ({}), recorded in {}",
        code(&of.contingency),
        text(&of.since),
        text(&of.by),
        code(&of.folder)
    );
    match &of.ended {
        Some(end) => format!("{what}; closed at {} by {}: {}.", end.time, text(&end.by), text(&end.reason)),
        None => format!("{what}; **not closed yet**: no gate opens."),
    }
}

/// What a person said or showed for a step by hand.
fn handed_in(of: &HandedIn) -> String {
    let words = of.text.iter().map(|words| text(words));
    let transactions = of.transactions.iter().map(|hash| code(hash));
    let files = of.files.iter().map(|file| format!("{} (SHA-256 {})", code(&file.name), code(&file.sha256)));
    let all: Vec<String> = words.chain(transactions).chain(files).collect();
    format!("Handed in for step {} by {}: {}.", code(&of.step.0), text(&of.by), all.join(", "))
}

/// A step of which it is not known whether it happened.
fn open_question(step: &StepReport) -> Option<String> {
    let open = matches!(step.state?, StepState::Started | StepState::Indeterminate);
    open.then(|| format!("**Not known:** whether step {} happened.", code(&step.id.0)))
}

fn unsuccessful(step: &StepReport) -> Vec<String> {
    let ended = step.attempts.iter().filter_map(|attempt| attempt.ended.as_ref());
    let bad = ended.filter(|ended| ended.outcome != StepOutcome::Done);
    bad.map(|ended| {
        let reason = ended.reason.as_deref().map_or_else(String::new, |reason| format!(": {}", text(reason)));
        let words = outcome_words(ended.outcome);
        let after = if step.state == Some(StepState::Done) { " A later attempt is done." } else { "" };
        format!("Step {} {words} (attempt {}){reason}.{after}", code(&step.id.0), ended.attempt)
    })
    .collect()
}

fn decisions(step: &StepReport) -> Vec<String> {
    let told = |decision: &super::Decision| {
        let what = if decision.happened { "happened" } else { "did not happen" };
        let (by, reason) = (text(&decision.by), text(&decision.reason));
        let (step, attempt) = (code(&step.id.0), decision.attempt);
        format!("Decided by {by}: step {step} {what} (attempt {attempt}): {reason}.")
    };
    step.decisions.iter().map(told).collect()
}

fn differs(step: &StepReport) -> Option<String> {
    let reason = step.differs.as_ref()?;
    Some(format!("Step {} differs from the prose runbook: {}.", code(&step.id.0), text(reason)))
}

/// What changed between invocations.
fn changes(report: &Report) -> Vec<String> {
    let mut lines = Vec::new();
    for pair in report.invocations.windows(2) {
        if pair[0].runbook_sha256 != pair[1].runbook_sha256 {
            lines.push(format!("The runbook's file changed before the invocation of {}.", pair[1].time));
        }
        if pair[0].commit != pair[1].commit {
            lines.push(format!("The workspace's commit changed before the invocation of {}.", pair[1].time));
        }
    }
    lines
}

fn files(report: &Report) -> Vec<String> {
    let mut blocks = Vec::new();
    if !report.artefacts.is_empty() {
        let rows = report.artefacts.iter().map(|kept| {
            let artefact = &kept.artefact;
            let step = format!("{} ({})", code(&kept.step.0), kept.attempt);
            vec![code(&artefact.name), step, code(&artefact.source), artefact.bytes.to_string(), code(&artefact.sha256)]
        });
        blocks.push("## Kept evidence".to_owned());
        blocks.push(table(&["Artefact", "Step (attempt)", "From", "Bytes", "SHA-256"], rows));
    }
    if !report.published.is_empty() {
        let rows = report.published.iter().map(|file| {
            let deliverable = file.deliverable.as_deref().map_or_else(String::new, text);
            vec![code(&file.path), deliverable, file.bytes.to_string(), code(&file.sha256)]
        });
        blocks.push("## Published".to_owned());
        blocks.push(table(&["File", "Deliverable", "Bytes", "SHA-256"], rows));
    }
    blocks
}

fn journal(report: &Report) -> Vec<String> {
    let records = count(usize::try_from(report.head.records).unwrap_or(usize::MAX), "record");
    let line = format!("{records}; the last one's hash is {}.", code(&report.head.hash));
    vec!["## Journal".to_owned(), line]
}

/// A verdict that stands out where it is not *passed*.
fn verdict(verdict: Option<Verdict>) -> String {
    match verdict {
        None => "not judged".to_owned(),
        Some(Verdict::Passed) => "✔ passed".to_owned(),
        Some(Verdict::Waived) => "~ **waived**".to_owned(),
        Some(Verdict::Waiting) => "○ **waiting for people**".to_owned(),
        Some(Verdict::Unknown) => "? **unknown**".to_owned(),
        Some(Verdict::Failed) => "✘ **failed**".to_owned(),
    }
}

/// A gate's verdict, and whether something was waived.
fn gate_verdict(of: Option<Verdict>, results: &[CheckResult]) -> String {
    match blocks::waived(results) {
        0 => verdict(of),
        waived => format!("{}, **{} waived**", verdict(of), count(waived, "check")),
    }
}

/// A duration where there is one.
fn took(milliseconds: u64) -> String {
    if milliseconds == 0 { String::new() } else { duration(milliseconds) }
}

#[cfg(test)]
mod tests {
    use super::super::{Report, fixture};
    use super::render;
    use crate::event::{Event, StepEnded, StepOutcome};

    fn told(count: usize) -> String {
        render(&Report::of(&fixture::entries(fixture::events()[..count].to_vec())))
    }

    const PAGE_ONE: &str = "\
# Astral Citadel Operations Runbook

> **STOPPED**: step \\`2.dry-run\\` did not happen; 1 of 2 gates passed

| | |
|---|---|
| Run | `2026-11-22T19-40-05Z` |
| Network | local (chain 31337) |
| Opened | 2026-11-22T19:40:05Z by ann@tower |
| Last record | 2026-11-22T19:40:27Z |
| Runbook | astral-citadel `5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a` |
| Workspace | `/repo/practice` |
| Workspace commit | `c0ffee` |
| citadel | 0.1.0 |
| Invocations | 3 |
| State folder | closed to steps |
| Program used | `/usr/bin/git` `6161616161616161616161616161616161616161616161616161616161616161` |

## What to know

- **Practice workspace.** Nothing here counts on any other network.
- **Local chain.** A chain on one machine, started for this run, proves the procedure alone.
- Step `1.plan-safe` failed (attempt 1): its evidence does not hold: owner-safe-bundle.json. A later attempt is done.
- Step `2.dry-run` may or may not have happened (attempt 1): it ended with 1 after its transaction was sent.
- Gate 1 was judged 2 times: failed, then passed.
- Decided by bob: step `2.dry-run` did not happen (attempt 1): no transaction of the deployer.
- Step `1.plan-safe` differs from the prose runbook: the prose names no network.
- The journal's records are chained by hash. They prove nothing against whoever owns the disk, unless its head or a \
signature over it is kept elsewhere.
";

    #[test]
    fn page_one_says_what_must_not_be_missed() {
        let text = told(23);
        assert!(text.starts_with(PAGE_ONE), "{text}");
    }

    const PHASE: &str = "\
## Phase 1: Governance Posture

| Step | What | Attempts | Took | Outcome |
|---|---|---|---|---|
| `1.atlas` | Snapshot every governance surface | 1 | 3.1s | ✔ done |
| `1.plan-safe` | Emit the Safe transaction bundle | 2 | 5.1s | ✔ done |

### Gate 1: ✔ passed

Governance operators sign off. Judged 2026-11-22T19:40:23Z on local at block 57, \
`0x12ab12ab12ab12ab12ab12ab12ab12ab12ab12ab12ab12ab12ab12ab12ab12ab`; record `gates/1.9.json`, \
SHA-256 `eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee`.

| Check | Kind | Verdict | Found |
|---|---|---|---|
| `step 1.atlas` | step | ✔ passed | done by attempt 1 |
| `not-paused` | pause | ✔ passed | 8 modules running |

Sign-off: 2 of 2 needed, asked of signer-1, signer-2 and signer-3; statement \
`5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e`, valid until 2026-11-23T19:40:05Z.

| Who | When | Key |
|---|---|---|
| signer-1 | 2026-11-22T19:40:21Z | `SHA256:UCUiLr7Pjs9wFFJMDByLgc3NrtdU344OgUM45wZPcIQ` |
| signer-2 | 2026-11-22T19:40:22Z | `SHA256:UCUiLr7Pjs9wFFJMDByLgc3NrtdU344OgUM45wZPcIQ` |
";

    #[test]
    fn a_phase_shows_steps_gate_and_signatures() {
        let text = told(23);
        assert!(text.contains(PHASE), "{text}");
        assert!(text.contains("| `bundle.json` | `1.plan-safe` (2) | `owner-safe-bundle.json` | 2048 | `bbbb"));
        assert!(text.contains("| `governance.md` | governance | 512 | `9999"));
        assert!(text.ends_with(&format!("23 records; the last one's hash is `{:064x}`.\n", 23)), "{text}");
    }

    #[test]
    fn a_failed_gate_tells_why() {
        let text = told(14);
        assert!(text.contains("### Gate 1: ✘ **failed**"));
        assert!(text.contains("- **not-paused** is failed: 1 of 8 modules is paused: fee\\_pool"), "{text}");
        assert!(text.contains("  - observed: `{\"paused\":[\"fee_pool\"]}`"), "{text}");
    }

    #[test]
    fn a_report_says_which_run_it_is_about() {
        let report = Report::of(&fixture::entries(fixture::events()));
        assert_eq!(super::run_of(&render(&report)), Some(report.run.as_ref().unwrap().run.as_str()));
        assert_eq!(super::run_of("# Run\n"), None);
    }

    #[test]
    fn a_failed_step_shows_its_last_lines() {
        let text = told(9);
        assert!(text.contains("```text\nPlan: 0 actions\nwrote owner-safe-bundle.json \\u{1b}[32mok"), "{text}");
    }

    #[test]
    fn foreign_text_changes_no_structure() {
        let evil = "`x` | <script> [a](http://b) **bold** \n# head\n```\n| t |";
        let mut events = fixture::events();
        events.truncate(7);
        events.push(Event::StepEnded(StepEnded {
            reason: Some(evil.into()),
            tail: vec!["```".into(), evil.into()],
            ..fixture::ended("1.plan-safe", 1, StepOutcome::Failed)
        }));
        let text = render(&Report::of(&fixture::entries(events)));
        let (prose, output) = text.split_once("````text\n").unwrap();
        assert!(!prose.contains("<script>") && output.contains("<script>"), "{text}");
        assert_eq!(text.lines().filter(|line| line.starts_with("# ")).count(), 1, "{text}");
        assert!(text.contains(r"\`x\` \| \<script\> \[a\](http\://b) \*\*bold\*\*  \# head"), "{text}");
    }
}
