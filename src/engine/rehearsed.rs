//! Whether a phase was rehearsed: its gate passed elsewhere, by the same definition, at the same commit of the workspace,
//! not too long ago. Looks into the journals of this machine's other runs, and writes none.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::world::View;
use crate::event::{Event, PhaseOutline, StepOutline};
use crate::journal::{self, Entry, Home, RunFolder};
use crate::progress::Progress;
use crate::runbook::{Phase, PhaseId, Rehearsed, digest};
use crate::text::{duration, list};
use crate::verdict::{CheckResult, Verdict};

/// So many rehearsals that do not count are told of.
const TOLD: usize = 3;

/// What was found when somebody asked for a rehearsal.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rehearsals {
    pub phase: PhaseId,
    pub on: Vec<String>,
    /// The network of the run that asks.
    pub network: String,
    pub now: Timestamp,
    /// Why nothing can be compared with a rehearsal: the workspace has no commit that names it.
    pub nameless: Option<String>,
    /// The newest first; what counts ends the search.
    pub found: Vec<Rehearsal>,
}

/// One run whose gate passed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rehearsal {
    pub network: String,
    pub run: String,
    pub time: Timestamp,
    /// What is not as it is now, field by field.
    pub differences: Vec<String>,
}

/// What a phase means, with the definitions that its digests stand for.
pub struct Defined<'a> {
    pub outline: &'a PhaseOutline,
    pub kept: &'a BTreeMap<String, Value>,
}

/// Judges what was found.
pub fn judge(id: &str, asked: &Rehearsed, found: &Rehearsals) -> CheckResult {
    let (phase, on) = (&asked.phase, list(&asked.on));
    let age = |time: Timestamp| found.now.duration_since(time);
    let limit = SignedDuration::try_from(asked.max_age).unwrap_or(SignedDuration::MAX);
    let words = |age: SignedDuration| duration(u64::try_from(age.as_millis()).unwrap_or_default());
    let expected = format!("gate {phase} passed on {on}, unchanged, not more than {} ago", words(limit));
    if asked.on.contains(&found.network) {
        let message = format!("this run on {} is the rehearsal", found.network);
        return CheckResult::passed(id, "rehearsed", message).expected(expected);
    }
    let hint = format!("rehearse it: `citadel run --phase {phase} --network {}`", asked.on.join("` or `--network "));
    if let Some(why) = &found.nameless {
        return CheckResult::unknown(id, "rehearsed", why).expected(expected).hint(hint);
    }
    let fits = |one: &&Rehearsal| one.differences.is_empty() && age(one.time) <= limit;
    if let Some(good) = found.found.iter().find(fits) {
        let message =
            format!("gate {phase} passed on {} {} ago, in run {}", good.network, words(age(good.time)), good.run);
        let observed = json!({ "network": good.network, "run": good.run, "time": good.time.to_string() });
        return CheckResult::passed(id, "rehearsed", message).expected(expected).observed(observed);
    }
    let told = |one: &Rehearsal| {
        let old = age(one.time);
        let late = (old > limit).then(|| format!("it was {} ago", words(old)));
        let why: Vec<String> = late.into_iter().chain(one.differences.iter().cloned()).collect();
        format!("run {} on {}: {}", one.run, one.network, why.join("; "))
    };
    let told: Vec<String> = found.found.iter().take(TOLD).map(told).collect();
    let message = match told.as_slice() {
        [] => format!("phase {phase} never passed its gate on {on}"),
        told => format!("no rehearsal of phase {phase} counts: {}", told.join(" | ")),
    };
    CheckResult::failed(id, "rehearsed", message).expected(expected).hint(hint)
}

/// A rehearsal that opened a gate does not grow old afterwards: while the gate's definition is the same, it stands.
pub fn standing(view: &View<'_>, phase: &Phase, results: &mut [CheckResult]) {
    let judged = view.progress.gates.get(&phase.id).and_then(|gate| gate.judged.as_ref());
    let today = view.progress.phases.iter().find(|outline| outline.id == phase.id);
    let Some(judged) = judged.filter(|judged| {
        judged.verdict == Verdict::Passed && today.is_some_and(|today| today.digest == judged.definition)
    }) else {
        return;
    };
    for result in results.iter_mut().filter(|result| result.kind == "rehearsed" && result.verdict != Verdict::Passed) {
        let then = judged.results.iter().find(|then| then.id == result.id && then.verdict == Verdict::Passed);
        if let Some(then) = then {
            *result = CheckResult { message: format!("when the gate opened: {}", then.message), ..then.clone() };
        }
    }
}

/// Looks for rehearsals.
pub fn find(view: &View<'_>, asked: &Rehearsed) -> Rehearsals {
    let world = view.world;
    let mut rehearsals = Rehearsals {
        phase: asked.phase.clone(),
        on: asked.on.clone(),
        network: world.network.clone(),
        now: world.clock.now(),
        ..Rehearsals::default()
    };
    if asked.on.contains(&world.network) {
        return rehearsals;
    }
    rehearsals.nameless = nameless(world.workspace.commit.as_deref());
    let outline = view.progress.phases.iter().find(|outline| outline.id == asked.phase);
    let Some(outline) = outline.filter(|_| rehearsals.nameless.is_none()) else { return rehearsals };
    let kept = world.folder.definitions().unwrap_or_default();
    let now = Now { defined: Defined { outline, kept: &kept }, commit: world.workspace.commit.as_deref() };
    for network in &asked.on {
        let home = Home::new(&world.state, &view.runbook.id, network);
        for run in home.runs().unwrap_or_default().into_iter().rev() {
            let found = look(&home.run(&run), &now, world.workspace.practice);
            let good = found.as_ref().is_some_and(|one| one.differences.is_empty());
            rehearsals.found.extend(found.map(|one| Rehearsal { network: network.clone(), run, ..one }));
            if good {
                break;
            }
        }
    }
    rehearsals.found.sort_by_key(|one| (!one.differences.is_empty(), std::cmp::Reverse(one.time)));
    rehearsals.found.truncate(TOLD);
    rehearsals
}

/// Why a workspace cannot be told from another.
fn nameless(commit: Option<&str>) -> Option<String> {
    match commit {
        None => Some("the workspace is no git repository, so that no rehearsal can be told to have been of it".into()),
        Some(dirty) if dirty.contains(' ') => {
            Some(format!("the workspace has changes that no commit names ({dirty}): commit or undo them"))
        }
        Some(_) => None,
    }
}

/// What a rehearsal is compared with.
struct Now<'a> {
    defined: Defined<'a>,
    commit: Option<&'a str>,
}

fn look(folder: &RunFolder, now: &Now<'_>, practice: bool) -> Option<Rehearsal> {
    let entries = journal::read(&folder.journal()).ok()?.entries;
    let progress = Progress::replay(entries.iter().map(|entry| &entry.event));
    let phase = &now.defined.outline.id;
    let gate = progress.gates.get(phase).filter(|_| progress.gate_passed(phase))?;
    let judged = gate.judged.as_ref()?;
    let time = entries.iter().find(|entry| entry.seq == gate.sequence)?.time;
    let mut differences = Vec::new();
    if progress.run.as_ref().is_some_and(|run| run.practice) && !practice {
        differences.push("it was of the practice workspace, which never counts for another".to_owned());
    }
    differences.extend(commits(&entries, gate.sequence, &progress, now));
    if judged.definition != now.defined.outline.digest {
        let then = progress.phases.iter().find(|outline| outline.id == *phase)?;
        let kept = folder.definitions().unwrap_or_default();
        differences.extend(changes(&Defined { outline: then, kept: &kept }, &now.defined));
    }
    Some(Rehearsal { network: String::new(), run: String::new(), time, differences })
}

/// The commits by which the phase was rehearsed that are not the present one.
fn commits(entries: &[Entry], until: u64, progress: &Progress, now: &Now<'_>) -> Vec<String> {
    let mut judged_at = None;
    for entry in entries.iter().take_while(|entry| entry.seq <= until) {
        match &entry.event {
            Event::RunOpened(opened) => judged_at.clone_from(&opened.commit),
            Event::RunContinued(continued) => judged_at.clone_from(&continued.commit),
            _ => {}
        }
    }
    let steps = now.defined.outline.steps.iter().filter_map(|step| progress.steps.get(&step.id));
    let all = steps.map(|step| step.started.commit.clone()).chain([judged_at]);
    let none = || "none".to_owned();
    let mut other: Vec<String> =
        all.filter(|commit| commit.as_deref() != now.commit).map(|commit| commit.unwrap_or_else(none)).collect();
    other.sort();
    other.dedup();
    let own = now.commit.unwrap_or("none");
    other.into_iter().map(|commit| format!("workspace commit {commit} → {own}")).collect()
}

/// What differs between two definitions of a phase, one line a field.
pub fn changes(before: &Defined<'_>, after: &Defined<'_>) -> Vec<String> {
    let fields = |from: &str, to: &str, of: &str| {
        let (Some(from), Some(to)) = (before.kept.get(from), after.kept.get(to)) else {
            return vec![format!("{of}: the earlier definition was not kept")];
        };
        digest::differences(from, to).into_iter().map(|change| format!("{of} {change}")).collect()
    };
    let mut changed = Vec::new();
    let find = |steps: &'_ [StepOutline], step: &StepOutline| steps.iter().find(|other| other.id == step.id).cloned();
    for step in &after.outline.steps {
        match find(&before.outline.steps, step) {
            None => changed.push(format!("step {} is new", step.id)),
            Some(then) if then.definition == step.definition => {}
            Some(then) => changed.extend(fields(&then.definition, &step.definition, &format!("step {}", step.id))),
        }
    }
    let gone = before.outline.steps.iter().filter(|step| find(&after.outline.steps, step).is_none());
    changed.extend(gone.map(|step| format!("step {} is gone", step.id)));
    if before.outline.digest != after.outline.digest {
        changed.extend(fields(&before.outline.digest, &after.outline.digest, "definition"));
    }
    if changed.is_empty() {
        changed.push("its steps are in another order".to_owned());
    }
    changed
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::journal::Journal;
    use crate::report::fixture;
    use crate::secrets::Mask;
    use crate::verdict::Verdict;

    fn asked() -> Rehearsed {
        Rehearsed { phase: PhaseId("1".into()), on: vec!["local".into()], max_age: Duration::from_hours(24) }
    }

    fn found(differences: &[&str], hours: i64) -> Rehearsals {
        let now: Timestamp = "2026-11-22T20:00:00Z".parse().unwrap();
        let found = Rehearsal {
            network: "local".into(),
            run: "r".into(),
            time: now - SignedDuration::from_hours(hours),
            differences: differences.iter().map(ToString::to_string).collect(),
        };
        Rehearsals { network: "mainnet".into(), now, found: vec![found], ..Rehearsals::default() }
    }

    #[test]
    fn a_rehearsal_counts_unchanged_and_for_a_while() {
        let check = |found: &Rehearsals, verdict: Verdict, words: &str| {
            let result = judge("r", &asked(), found);
            assert_eq!(result.verdict, verdict, "{result:?}");
            assert!(result.message.contains(words), "{}", result.message);
        };
        check(&found(&[], 24), Verdict::Passed, "gate 1 passed on local 24h 00m ago, in run r");
        check(&found(&[], 25), Verdict::Failed, "run r on local: it was 25h 00m ago");
        check(&found(&["a"], 25), Verdict::Failed, "it was 25h 00m ago; a");
        check(&found(&["workspace commit a → b"], 1), Verdict::Failed, "run r on local: workspace commit a → b");
        check(&Rehearsals { found: Vec::new(), ..found(&[], 1) }, Verdict::Failed, "never passed its gate on local");
        check(&Rehearsals { nameless: Some("no commit".into()), ..found(&[], 1) }, Verdict::Unknown, "no commit");
        check(&Rehearsals { network: "local".into(), ..found(&["a"], 99) }, Verdict::Passed, "is the rehearsal");
    }

    #[test]
    fn a_practice_rehearsal_never_counts_for_a_real_checkout() {
        let state = tempfile::tempdir().unwrap();
        let folder = RunFolder::at(state.path());
        let mut journal = Journal::create(&folder.journal(), &Mask::none()).unwrap();
        // The run of the fixture is of the practice workspace; its steps say no commit.
        for entry in fixture::entries(fixture::events()) {
            journal.append(entry.event, entry.time).unwrap();
        }
        let outlines = fixture::outlines();
        let kept = BTreeMap::new();
        let of = |digest: &str| PhaseOutline { digest: digest.into(), ..outlines[0].clone() };
        let look = |digest: &str, practice: bool| {
            let outline = of(digest);
            let now = Now { defined: Defined { outline: &outline, kept: &kept }, commit: Some("c0ffee") };
            look(&folder, &now, practice).unwrap().differences
        };
        let judged = "1d";
        let practice = "it was of the practice workspace, which never counts for another";
        assert_eq!(look(judged, false), [practice, "workspace commit none → c0ffee"]);
        assert_eq!(look(judged, true), ["workspace commit none → c0ffee"]);
        let other = look("other", true);
        assert_eq!(other[1], "definition: the earlier definition was not kept");
    }
}
