//! What `citadel doctor` found, for people and for programs: one row a thing, and whether a run could start.

use serde::Serialize;

use crate::chain::{StateDepth, Survey, SurveyedEndpoint};
use crate::text::{Line, Tone, count, limit, padded, width};

/// Everything that was looked at.
#[derive(Debug, Clone, Serialize)]
pub struct Diagnosis {
    pub format: u32,
    pub network: String,
    pub chain_id: u64,
    /// Whether a run could start.
    pub ready: bool,
    pub tools: Vec<ToolRow>,
    pub variables: Vec<VariableRow>,
    pub endpoints: Survey,
    pub addresses: Vec<AddressRow>,
    pub problems: Vec<Problem>,
    /// What does not keep a run from starting.
    pub warnings: Vec<String>,
}

/// A program.
#[derive(Debug, Clone, Serialize)]
pub struct ToolRow {
    pub name: String,
    /// The version, or what it is for where any version will do.
    pub wanted: String,
    pub found: Option<String>,
    pub fits: bool,
}

/// A variable by its name; never its value.
#[derive(Debug, Clone, Serialize)]
pub struct VariableRow {
    pub name: String,
    /// What it is: an endpoint, a private key, or its class of secrets.
    pub of: String,
    pub set: bool,
    /// What is wrong with its value.
    pub problem: Option<String>,
}

/// A contract's address.
#[derive(Debug, Clone, Serialize)]
pub struct AddressRow {
    pub name: String,
    pub address: Option<String>,
    /// Whether there is code; `None`: it could not be read.
    pub code: Option<bool>,
    /// What was found, in a few words.
    pub found: String,
}

/// Something that keeps a run from starting, or its gates from passing.
#[derive(Debug, Clone, Serialize)]
pub struct Problem {
    pub what: String,
    pub how: String,
}

/// For programs: versioned JSON with a final newline.
pub fn json(diagnosis: &Diagnosis) -> anyhow::Result<String> {
    Ok(serde_json::to_string_pretty(diagnosis)? + "\n")
}

/// For people.
pub fn human(diagnosis: &Diagnosis, columns: usize, colour: bool) -> String {
    let head = format!("doctor: {} (chain {})", diagnosis.network, diagnosis.chain_id);
    let mut lines = vec![Line::new(0).add(Tone::Strong, head)];
    lines.extend(section("tools", diagnosis.tools.iter().map(tool).collect()));
    lines.extend(section("variables", diagnosis.variables.iter().map(variable).collect()));
    let agree = format!("endpoints, {} needed", diagnosis.endpoints.agree);
    lines.extend(section(&agree, diagnosis.endpoints.endpoints.iter().map(endpoint).collect()));
    lines.extend(section("addresses", diagnosis.addresses.iter().map(address).collect()));
    lines.extend(diagnosis.warnings.iter().map(|warning| row(Mark::Doubt, "warning", warning)));
    lines.push(Line::new(0));
    if diagnosis.ready {
        lines.push(Line::new(0).add(Tone::Good, format!("ready: a run on {} could start", diagnosis.network)));
    } else {
        let problems = count(diagnosis.problems.len(), "problem");
        lines.push(Line::new(0).add(Tone::Bad, format!("not ready: {problems}")));
    }
    for Problem { what, how } in &diagnosis.problems {
        lines.push(Line::new(2).plain(format!("- {what}")).wrapped(4));
        lines.push(Line::new(4).quiet(how).wrapped(4));
    }
    lines.iter().map(|line| line.render(columns, colour) + "\n").collect()
}

/// How a row stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Good,
    Doubt,
    Bad,
}

type Row = (Mark, String, String);

/// A heading and its rows, their names in one column.
fn section(title: &str, rows: Vec<Row>) -> Vec<Line> {
    if rows.is_empty() {
        return Vec::new();
    }
    let column = rows.iter().map(|(_, name, _)| width(name)).max().unwrap_or(0);
    let lines = rows.into_iter().map(|(mark, name, text)| row(mark, &padded(&name, column), &text));
    [Line::new(0), Line::new(0).add(Tone::Strong, title)].into_iter().chain(lines).collect()
}

fn row(mark: Mark, name: &str, text: &str) -> Line {
    let (tone, mark) = match mark {
        Mark::Good => (Tone::Good, "✔"),
        Mark::Doubt => (Tone::Doubt, "?"),
        Mark::Bad => (Tone::Bad, "✘"),
    };
    let below = 2 + 2 + width(name) + 3;
    Line::new(2).add(tone, format!("{mark} ")).plain(name).plain("   ").plain(text).wrapped(below)
}

fn tool(row: &ToolRow) -> Row {
    let found = row.found.as_deref().unwrap_or("nothing");
    let mark = if row.fits { Mark::Good } else { Mark::Bad };
    (mark, row.name.clone(), format!("wanted {}; found {found}", row.wanted))
}

fn variable(row: &VariableRow) -> Row {
    let (mark, state) = match (&row.problem, row.set) {
        (Some(problem), _) => (Mark::Bad, problem.clone()),
        (None, true) => (Mark::Good, "set".to_owned()),
        (None, false) => (Mark::Doubt, "not set".to_owned()),
    };
    (mark, row.name.clone(), format!("{}: {state}", row.of))
}

fn address(row: &AddressRow) -> Row {
    let mark = match row.code {
        Some(true) => Mark::Good,
        None if !row.found.contains("cannot pass") => Mark::Doubt,
        Some(false) | None => Mark::Bad,
    };
    let address = row.address.as_ref().map(|address| format!("{address} ")).unwrap_or_default();
    (mark, row.name.clone(), format!("{address}{}", row.found))
}

fn endpoint(row: &SurveyedEndpoint) -> Row {
    let is = &row.report;
    let mark = if is.counted { Mark::Good } else { Mark::Bad };
    let yes = |is: bool, yes: &str, no: &str| if is { yes.to_owned() } else { no.to_owned() };
    let state = |state: StateDepth| match state {
        StateDepth::All => "state of every block".to_owned(),
        StateDepth::Blocks(blocks) => {
            format!("state of {} at least", count(usize::try_from(blocks).unwrap_or(usize::MAX), "block"))
        }
    };
    let head = is.head.map(|head| match row.head_age {
        Some(age) if age < 0 => format!("head {head} ({} in the future)", seconds(age)),
        Some(age) => format!("head {head} ({} old)", seconds(age)),
        None => format!("head {head}"),
    });
    let pieces = [
        is.trouble.clone(),
        is.chain_id.map(|id| format!("chain {id}")),
        is.genesis.map(|genesis| format!("genesis {}", super::blocks::short(&format!("{genesis:#x}")))),
        head,
        is.head.map(|_| {
            row.finalized.map_or_else(|| "no finalized block".to_owned(), |block| format!("finalized {block}"))
        }),
        row.honours_hashes.map(|honours| yes(honours, "honours hashes", "IGNORES hashes")),
        row.takes_batches.map(|takes| yes(takes, "batches", "no batches")),
        row.state.map(state),
        row.latency_ms.map(|latency| format!("{latency} ms")),
        row.clock_ahead.map(|ahead| format!("clock {ahead:+} s")),
    ];
    let text = pieces.into_iter().flatten().collect::<Vec<_>>().join(" · ");
    let told = if is.host.is_empty() { text } else { format!("{}  {text}", is.host) };
    (mark, is.variable.clone(), told)
}

fn seconds(seconds: i64) -> String {
    limit(std::time::Duration::from_secs(seconds.unsigned_abs()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::EndpointReport;

    #[test]
    fn a_row_a_thing() {
        let report = EndpointReport {
            variable: "X_RPC_URL".into(),
            host: "rpc.example".into(),
            counted: true,
            chain_id: Some(1),
            head: Some(100),
            ..EndpointReport::default()
        };
        let good = SurveyedEndpoint {
            report: report.clone(),
            head_age: Some(12),
            finalized: Some(36),
            honours_hashes: Some(true),
            takes_batches: Some(false),
            state: Some(StateDepth::Blocks(127)),
            latency_ms: Some(80),
            clock_ahead: Some(-3),
        };
        let down =
            EndpointReport { counted: false, chain_id: None, head: None, trouble: Some("no answer".into()), ..report };
        let down = SurveyedEndpoint { report: down, ..SurveyedEndpoint::default() };
        let endpoints = Survey { endpoints: vec![good, down], agree: 2, ..Survey::default() };
        let diagnosis = Diagnosis {
            format: 1,
            network: "mainnet".into(),
            chain_id: 1,
            ready: false,
            tools: vec![ToolRow { name: "node".into(), wanted: "20.1".into(), found: None, fits: false }],
            variables: vec![VariableRow { name: "X_RPC_URL".into(), of: "endpoint".into(), set: true, problem: None }],
            endpoints,
            addresses: vec![AddressRow {
                name: "timelock".into(),
                address: None,
                code: None,
                found: "has no address: gate 1 cannot pass".into(),
            }],
            problems: vec![Problem { what: "`node` is not there".into(), how: "install it".into() }],
            warnings: vec![],
        };
        assert_eq!(
            human(&diagnosis, 100, false),
            "\
doctor: mainnet (chain 1)

tools
  ✘ node   wanted 20.1; found nothing

variables
  ✔ X_RPC_URL   endpoint: set

endpoints, 2 needed
  ✔ X_RPC_URL   rpc.example  chain 1 · head 100 (12s old) · finalized 36 · honours hashes · no
                batches · state of 127 blocks at least · 80 ms · clock -3 s
  ✘ X_RPC_URL   rpc.example  no answer

addresses
  ✘ timelock   has no address: gate 1 cannot pass

not ready: 1 problem
  - `node` is not there
    install it
"
        );
    }
}
