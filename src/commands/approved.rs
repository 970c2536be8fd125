//! A plan in a file: everything that a run would do, so that people can approve it, and citadel runs exactly that, once.
//! It holds definitions, resolved commands and digests of what they read; no secret, and no address of an endpoint.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::context::Context;
use super::opening::{Existing, Prospect};
use super::{outline, preconditions};
use crate::cli::{OptionalNet, Part};
use crate::digest::sha256;
use crate::engine::world::{View, World};
use crate::engine::{command, nonce};
use crate::error::{ExitCode, Failure};
use crate::event::Event;
use crate::journal::{Home, write_file};
use crate::plan;
use crate::progress::Progress;
use crate::runbook::{EvidenceKind, Network, Runbook, Scope, Step, digest};
use crate::workspace;

const FORMAT: u32 = 1;

/// So much of a changed value is shown.
const SHOWN: usize = 160;

/// What the file holds.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Approved {
    format: u32,
    citadel: String,
    made: Timestamp,
    by: String,
    /// Which plan it is: one that was run is not run again.
    pub(super) nonce: String,
    asked: Asked,
    /// The SHA-256 of the content, to compare.
    pub(super) digest: String,
    content: Value,
}

/// What was asked for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    network: String,
    phase: Option<String>,
    step: Option<String>,
    /// Older plans say nothing of it.
    #[serde(default)]
    again: Option<u32>,
    new: bool,
}

/// How far a plan was run already.
enum Taken {
    Never,
    /// A run opened or went on with it, and nothing was begun since, such as where the operator's signature is missing.
    NotBegun,
    /// In this run.
    Begun(String),
}

impl Approved {
    /// Today's plan, as it is written to a file.
    pub(super) async fn make(
        context: &Context,
        prospect: &Prospect<'_>,
        view: &View<'_>,
        part: &Part,
    ) -> Result<Self, Failure> {
        let network = prospect.network.name.clone();
        let planned = content(context, prospect, view, &state(context, prospect)?).await;
        Ok(Self {
            format: FORMAT,
            citadel: env!("CARGO_PKG_VERSION").to_owned(),
            made: Timestamp::now(),
            by: context.operator(),
            nonce: nonce()?,
            asked: Asked {
                network,
                phase: part.phase.clone(),
                step: part.step.clone(),
                again: part.again,
                new: part.new,
            },
            digest: sha256(planned.to_string().as_bytes()),
            content: planned,
        })
    }

    /// Writes it to a file.
    pub(super) fn write(&self, path: &Path) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(self).map_err(anyhow::Error::from)? + "\n";
        Ok(write_file(path, text.as_bytes())?)
    }

    /// Reads one, which must be as it was written.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let bytes = std::fs::read(path).with_context(|| format!("cannot read the plan `{}`", path.display()));
        let bytes = bytes.map_err(|error| Failure { code: ExitCode::Usage, ..Failure::from(error) })?;
        let broken = |why: String| {
            Failure::new(
                ExitCode::EvidenceBroken,
                format!("`{}` is not a plan as citadel wrote it: {why}", path.display()),
            )
            .hint("nothing was started; make it anew: `citadel plan … --out FILE`")
        };
        let plan: Self = serde_json::from_slice(&bytes).map_err(|error| broken(error.to_string()))?;
        if plan.format != FORMAT {
            return Err(broken(format!("its format is {}, this citadel runs {FORMAT}", plan.format)));
        }
        if sha256(plan.content.to_string().as_bytes()) != plan.digest {
            return Err(broken("its content was changed after it was written".into()));
        }
        Ok(plan)
    }

    /// What it asks for, in the workspace that the operator names.
    pub(super) fn part(&self, context: &Context, part: &Part) -> Result<Part, Failure> {
        let Asked { network, phase, step, again, new } = self.asked.clone();
        // What was opened with it goes on, rather than being given up for another.
        let new = new && matches!(self.taken(&context.home(context.network(Some(&network))?))?, Taken::Never);
        let net = OptionalNet { network: Some(network), local: false };
        Ok(Part { net, phase, step, again, workspace: part.workspace.clone(), new })
    }

    /// Refuses where anything is not as it was planned, field by field, or where the plan was run already.
    pub(super) async fn refuse_other(
        &self,
        context: &Context,
        prospect: &Prospect<'_>,
        world: &World,
    ) -> Result<(), Failure> {
        let again = "nothing was started; look at the difference, then plan anew: `citadel plan … --out FILE`";
        let state = match self.taken(&context.home(prospect.network))? {
            Taken::Never => state(context, prospect)?,
            Taken::NotBegun => self.content["state"].clone(),
            Taken::Begun(run) => {
                let what = format!("this plan was run already, in run {run}: a plan is run once");
                return Err(Failure::new(ExitCode::Changed, what)
                    .hint("nothing was started; what is left is another plan: `citadel plan … --out FILE`"));
            }
        };
        let progress = today(context, prospect, world);
        let view = View { runbook: &context.runbook, progress: &progress, world };
        let now = content(context, prospect, &view, &state).await;
        let details = differences(&self.content, &now);
        if details.is_empty() {
            return Ok(());
        }
        let what = format!("this is not what was planned on {:.0}", self.made);
        Err(Failure { details, ..Failure::new(ExitCode::Changed, what).hint(again) })
    }

    /// How far the runs of `home` took it.
    fn taken(&self, home: &Home) -> Result<Taken, Failure> {
        for run in home.runs()?.into_iter().rev() {
            // A journal that cannot be read is refused where it is worked on.
            let Ok(existing) = Existing::read(run.clone(), home.run(&run)) else { continue };
            let is = |event: &Event| matches!(event, Event::PlanTaken { nonce, .. } if *nonce == self.nonce);
            let Some(at) = existing.entries.iter().rposition(|entry| is(&entry.event)) else { continue };
            let begins = |event: &Event| matches!(event, Event::StepStarted(_) | Event::GateJudged(_));
            let begun = existing.entries[at..].iter().any(|entry| begins(&entry.event));
            return Ok(if begun { Taken::Begun(run) } else { Taken::NotBegun });
        }
        Ok(Taken::Never)
    }
}

/// The progress that a plan starts from, with today's definitions.
pub(super) fn today(context: &Context, prospect: &Prospect<'_>, world: &World) -> Progress {
    let mut progress = prospect.progress();
    let before = progress.clone();
    let scope = View { runbook: &context.runbook, progress: &before, world }.scope(prospect.network);
    progress.work_by(outline::phases(&context.runbook, &prospect.workspace, &scope));
    progress.fresh.clear();
    progress.halt = None;
    progress
}

/// Where the plan begins: the run that goes on with its last record, or the run that a new one follows.
fn state(context: &Context, prospect: &Prospect<'_>) -> Result<Value, Failure> {
    let point = |run: &Existing| {
        let last = run.entries.last();
        json!({ "run": run.run, "records": last.map_or(0, |entry| entry.seq), "head": last.map(|entry| &entry.hash) })
    };
    if let Some(existing) = &prospect.existing {
        return Ok(json!({ "goes_on": point(existing) }));
    }
    let before = match &prospect.given_up {
        Some((run, _)) => Some(point(run)),
        None => Existing::latest(&context.home(prospect.network))?.as_ref().map(point),
    };
    let before = before.unwrap_or_else(|| json!("no run"));
    Ok(json!({ "opens_after": before }))
}

/// Everything that must be the same.
async fn content(context: &Context, prospect: &Prospect<'_>, view: &View<'_>, state: &Value) -> Value {
    let (runbook, network) = (&context.runbook, prospect.network);
    let lines = plan::plan(runbook, &prospect.selection, view.progress, &network.name);
    let order: Vec<String> = lines.iter().map(|line| line.item.to_string()).collect();
    let opens = state.get("opens_after").is_some();
    let (mut phases, mut steps) = (BTreeMap::new(), BTreeMap::new());
    for phase in &runbook.phases[prospect.selection.phases.clone()] {
        let on = view.network(phase);
        let scope = open(view.scope(on), context, opens);
        let scripts = workspace::scripts(&prospect.workspace.dir, &phase.steps, &scope);
        phases.insert(phase.id.0.clone(), digest::without_steps(runbook, phase));
        for step in phase.steps.iter().filter(|step| prospect.selection.takes(&step.id)) {
            let mut planned = digest::step_definition(step, scripts.get(&step.id).map(String::as_str));
            planned["command"] = json!(command_of(step, &scope));
            planned["given"] = json!(given(runbook, step, on));
            planned["inputs"] = json!(inputs(step, &scope, &prospect.workspace.dir));
            steps.insert(step.id.0.clone(), planned);
        }
    }
    let env = context.child_environment();
    json!({
        "runbook": runbook.id,
        "network": { "name": network.name, "chain_id": network.chain_id },
        "state": state,
        "workspace": {
            "commit": prospect.workspace.commit,
            "changed_files": workspace::tracked_changes(&prospect.workspace, &env).await,
            "practice": prospect.workspace.practice,
        },
        "tools": preconditions::versions(context, prospect).await,
        "order": order,
        "phases": phases,
        "steps": steps,
    })
}

/// The scope of a plan: what is not known before it runs keeps its name.
fn open(mut scope: Scope, context: &Context, opens: bool) -> Scope {
    for name in context.runbook.contracts.keys() {
        scope.values.entry(format!("contract.{name}")).or_insert_with(|| format!("{{{{ contract.{name} }}}}"));
    }
    if opens {
        scope.values.insert("run".into(), "{{ run }}".into());
    }
    scope
}

fn command_of(step: &Step, scope: &Scope) -> Option<String> {
    let argv = command::argv(&step.action, scope).ok().flatten()?;
    Some(command::display(step, &argv, scope))
}

/// The names of the variables that it is given.
fn given(runbook: &Runbook, step: &Step, network: &Network) -> Vec<String> {
    step.needs.iter().flat_map(|need| runbook.granted(network, need)).cloned().collect()
}

/// The files that its evidence reads and it need not write, by their SHA-256.
fn inputs(step: &Step, scope: &Scope, dir: &Path) -> BTreeMap<String, String> {
    let files = step.evidence.iter().filter_map(|evidence| match &evidence.kind {
        EvidenceKind::File(file) if !file.written => file.path.render(scope).ok(),
        _ => None,
    });
    let hash = |path: &str| workspace::read_file(dir, path).map_or_else(|_| "not there".into(), |bytes| sha256(&bytes));
    files.map(|path| (path.clone(), hash(&path))).collect()
}

/// What differs, one line a field.
fn differences(planned: &Value, now: &Value) -> Vec<String> {
    let list = |of: &Value| -> Vec<String> { serde_json::from_value(of["order"].clone()).unwrap_or_default() };
    let (before, after) = (list(planned), list(now));
    let without = |of: &Value| {
        let mut of = of.clone();
        of.as_object_mut().map(|of| of.remove("order"));
        of
    };
    let mut found = Vec::new();
    found.extend(before.iter().filter(|item| !after.contains(item)).map(|item| format!("`{item}` would not be next")));
    found.extend(after.iter().filter(|item| !before.contains(item)).map(|item| format!("`{item}` was not planned")));
    if found.is_empty() && before != after {
        found.push("the order is another".into());
    }
    found.extend(digest::differences(&without(planned), &without(now)).into_iter().map(shortened));
    found
}

fn shortened(line: String) -> String {
    let short = |part: &str| match part.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}…", &part[..at]),
        None => part.to_owned(),
    };
    match line.split_once(" → ") {
        Some((before, after)) => format!("{} → {}", short(before), short(after)),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_that_changed_is_named() {
        let planned =
            json!({ "order": ["run 1.a", "gate 1"], "steps": { "1.a": { "script": "echo 1" } }, "tools": {} });
        let check = |now: &Value, expected: &[&str]| assert_eq!(differences(&planned, now), expected);
        check(&planned, &[]);
        let mut now = planned.clone();
        now["steps"]["1.a"]["script"] = json!("echo 2");
        check(&now, &["`steps.1.a.script`: \"echo 1\" → \"echo 2\""]);
        now["order"] = json!(["skip step 1.a", "gate 1"]);
        now["tools"] = json!({ "node": "22" });
        let order = ["`run 1.a` would not be next", "`skip step 1.a` was not planned"];
        let fields = ["`steps.1.a.script`: \"echo 1\" → \"echo 2\"", "`tools.node`: null → \"22\""];
        check(&now, &[order, fields].concat());
        let mut moved = planned.clone();
        moved["order"] = json!(["gate 1", "run 1.a"]);
        check(&moved, &["the order is another"]);
        assert_eq!(shortened(format!("`a`: {} → 1", "é".repeat(400))).chars().filter(|c| *c == 'é').count(), SHOWN - 5);
    }
}
