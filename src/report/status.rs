//! Where a run stands: every step and gate, and what comes next.

use serde::Serialize;

use super::{Outcome, blocks};
use crate::event::PhaseOutline;
use crate::progress::{Progress, StepState};
use crate::runbook::{PhaseId, StepId};
use crate::text::{Line, Tone, padded, width};
use crate::verdict::Verdict;

/// A step's mark and words; `running`: a citadel works on the run right now.
fn mark(state: Option<StepState>, running: bool) -> (Tone, &'static str, &'static str) {
    match state {
        None => (Tone::Quiet, "·", ""),
        Some(StepState::Started) if running => (Tone::Accent, "▸", "running"),
        Some(StepState::Started | StepState::Indeterminate) => (Tone::Doubt, "?", "may or may not have happened"),
        Some(StepState::Happened) => (Tone::Doubt, "?", "happened, evidence not judged"),
        Some(StepState::Done) => (Tone::Good, "✔", "done"),
        Some(StepState::Failed) => (Tone::Bad, "✘", "failed"),
        Some(StepState::NotHappened) => (Tone::Quiet, "–", "did not happen"),
    }
}

/// For people. `next` says what comes next; `running`: a citadel holds the run's lock.
pub fn human(progress: &Progress, next: &str, running: bool, columns: usize, colour: bool) -> String {
    let mut lines = head(progress);
    for phase in &progress.phases {
        lines.push(Line::new(0));
        lines.extend(phase_lines(progress, phase, running));
    }
    if !next.is_empty() {
        lines.push(Line::new(0));
        let next = next.lines().map(|line| Line::new(0).plain(line));
        lines.push(Line::new(0).add(Tone::Strong, "next"));
        lines.extend(next);
    }
    lines.iter().map(|line| line.render(columns, colour) + "\n").collect()
}

fn head(progress: &Progress) -> Vec<Line> {
    let Some(run) = &progress.run else { return vec![Line::new(0).plain("no run yet")] };
    let practice = if run.practice { " · practice workspace" } else { "" };
    let outcome = Outcome::of(progress);
    vec![
        Line::new(0)
            .add(Tone::Strong, &run.title)
            .plain(format!(" · network {} (chain {})", run.network, run.chain_id))
            .plain(practice)
            .wrapped(2),
        Line::new(2).quiet(format!("run {} · opened by {}@{}", run.run, run.operator, run.host)).wrapped(2),
        Line::new(2).plain(outcome.sentence()).wrapped(2),
    ]
}

fn phase_lines(progress: &Progress, phase: &PhaseOutline, running: bool) -> Vec<Line> {
    let title = Line::new(0).add(Tone::Strong, format!("Phase {}  ", phase.id)).plain(&phase.title).cut();
    let column = phase.steps.iter().map(|step| width(&step.id.0)).max().unwrap_or(0).max(7);
    let steps = phase.steps.iter().map(|step| {
        let (tone, mark, word) = mark(progress.step_state(&step.id), running);
        let line = Line::new(2).add(tone, mark).plain(" ").plain(padded(&step.id.0, column)).plain("  ");
        let line = line.plain(&step.title).right(word);
        (line, &step.id)
    });
    let steps = steps.flat_map(|(line, id)| std::iter::once(line).chain(reason(progress, id)));
    let steps: Vec<Line> = steps.collect();
    let (tone, mark, word) = gate_words(progress.gate_verdict(&phase.id));
    let id = padded(&format!("gate {}", phase.id), column);
    let gate = Line::new(2).add(tone, mark).plain(" ").plain(id).plain("  ").plain(&phase.gate).right(word);
    let mut lines = vec![title];
    lines.extend(steps);
    lines.push(gate);
    if let Some(judged) = progress.gates.get(&phase.id).and_then(|gate| gate.judged.as_ref()) {
        let bad: Vec<_> = judged.results.iter().filter(|result| result.verdict != Verdict::Passed).cloned().collect();
        lines.extend(blocks::checks(&bad, None, 6));
    }
    lines
}

fn reason(progress: &Progress, id: &StepId) -> Option<Line> {
    let step = progress.steps.get(id).filter(|step| step.state != StepState::Done)?;
    let reason = step.ended.as_ref()?.reason.as_ref()?;
    Some(Line::new(6).plain(reason).wrapped(6))
}

fn gate_words(verdict: Option<Verdict>) -> (Tone, &'static str, &'static str) {
    let Some(verdict) = verdict else { return (Tone::Quiet, "·", "") };
    let (tone, mark) = blocks::mark(verdict);
    let word = match verdict {
        Verdict::Passed | Verdict::Waived => "passed",
        Verdict::Waiting => "waiting for people",
        Verdict::Unknown => "unknown",
        Verdict::Failed => "failed",
    };
    (tone, mark, word)
}

#[derive(Serialize)]
struct Status<'a> {
    format: u32,
    run: Option<&'a str>,
    network: Option<&'a str>,
    chain_id: Option<u64>,
    practice: Option<bool>,
    running: bool,
    outcome: Outcome,
    phases: Vec<PhaseStatus<'a>>,
    next: &'a str,
}

#[derive(Serialize)]
struct PhaseStatus<'a> {
    id: &'a PhaseId,
    title: &'a str,
    gate: Option<Verdict>,
    steps: Vec<StepStatus<'a>>,
}

#[derive(Serialize)]
struct StepStatus<'a> {
    id: &'a StepId,
    title: &'a str,
    state: Option<StepState>,
    attempt: u32,
    reason: Option<&'a str>,
}

/// For programs: versioned JSON with a final newline.
pub fn json(progress: &Progress, next: &str, running: bool) -> anyhow::Result<String> {
    let run = progress.run.as_ref();
    let status = Status {
        format: 1,
        run: run.map(|run| run.run.as_str()),
        network: run.map(|run| run.network.as_str()),
        chain_id: run.map(|run| run.chain_id),
        practice: run.map(|run| run.practice),
        running,
        outcome: Outcome::of(progress),
        phases: progress.phases.iter().map(|phase| phase_status(progress, phase)).collect(),
        next,
    };
    Ok(serde_json::to_string_pretty(&status)? + "\n")
}

fn phase_status<'a>(progress: &'a Progress, phase: &'a PhaseOutline) -> PhaseStatus<'a> {
    let steps = phase.steps.iter().map(|step| {
        let known = progress.steps.get(&step.id);
        StepStatus {
            id: &step.id,
            title: &step.title,
            state: known.map(|known| known.state),
            attempt: known.map_or(0, |known| known.attempt),
            reason: known.and_then(|known| known.ended.as_ref()?.reason.as_deref()),
        }
    });
    PhaseStatus { id: &phase.id, title: &phase.title, gate: progress.gate_verdict(&phase.id), steps: steps.collect() }
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    fn progress(count: usize) -> Progress {
        Progress::replay(&fixture::events()[..count])
    }

    #[test]
    fn people_see_every_step_and_gate() {
        assert_eq!(
            human(&progress(14), "`citadel run --network local`", false, 80, false),
            "\
Astral Citadel Operations Runbook · network local (chain 31337) · practice
  workspace
  run 2026-11-22T19-40-05Z · opened by ann@tower
  gate 1 failed; 0 of 2 gates passed

Phase 1  Governance Posture
  ✔ 1.atlas      Snapshot every governance surface                          done
  ✔ 1.plan-safe  Emit the Safe transaction bundle                           done
  ✘ gate 1       Governance operators sign off                            failed
      ✘ not-paused   failed: 1 of 8 modules is paused: fee_pool
          expected  running
          observed  {\"paused\":[\"fee_pool\"]}
          hint      cast call 0x33 'paused()(bool)' --block 57 --rpc-url $ANVIL_RPC_URL

Phase 2  Mission Staging
  · 2.dry-run  Run the mission against Anvil
  · gate 2     No blocking risk codes

next
`citadel run --network local`
"
        );
    }

    #[test]
    fn a_started_step_runs_only_while_a_citadel_does() {
        assert!(human(&progress(4), "", true, 80, false).contains("▸ 1.atlas"));
        assert!(human(&progress(4), "", false, 80, false).contains("may or may not have happened"));
    }

    #[test]
    fn every_width_holds_at_every_event() {
        for count in 0..=fixture::events().len() {
            for columns in [40, 80, 200] {
                assert!(!human(&progress(count), "next", false, columns, true).is_empty());
            }
        }
    }

    #[test]
    fn programs_get_states() {
        let text = json(&progress(9), "next", false).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["format"], 1);
        assert_eq!(value["phases"][0]["steps"][1]["state"], "failed");
        assert_eq!(value["phases"][0]["gate"], serde_json::Value::Null);
        assert_eq!(value["outcome"]["is"], "stopped");
    }
}
