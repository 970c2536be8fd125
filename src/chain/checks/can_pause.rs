//! `can_pause`: whether the brake would work now and soon enough: the wiring of the eight modules, `pauseAll()` as its
//! governance would call it, and the delay that the governance has before it can.

use std::time::Duration;

use ethers::types::{Address, U256};
use serde_json::json;

use super::modules::{State, modules, state};
use super::unreached::unreached;
use crate::chain::abi::{Signature, strict};
use crate::chain::address::checksum;
use crate::chain::finding::{Finding, Judged};
use crate::chain::question::{Answer, Question};
use crate::chain::revert;
use crate::chain::together::{both, together};
use crate::chain::value::{delay, duration};
use crate::chain::view::{Simulated, Subject, View, with};
use crate::runbook::ContractKind;

pub(super) async fn judge(view: &View<'_>, of: &str, within: Duration) -> Judged {
    let (pause, _) = view.contract(of)?;
    let modules = modules(view, &pause).await?;
    let (governance, unreached) = both(view.address_of(&pause, "governance"), unreached(view, &modules)).await;
    let governance = governance?;
    let states = together(modules.iter().map(|module| state(view, module)));
    let (states, wait) = both(states, governance_delay(view, governance)).await;
    let known: Vec<&State> = states.iter().filter_map(|state| state.as_ref().ok()).collect();
    let observed = json!({
        "governance": checksum(governance),
        "delay": wait.as_ref().ok().and_then(|wait| Some(wait.as_ref()?.to_string())),
        "paused": known.iter().filter(|state| state.paused).count(),
        "unreached": unreached,
    });
    let brake = Brake { view, pause: &pause, modules: &modules, governance };
    let judged = brake.judge(states, wait, within).await;
    let seen = |finding: Finding| {
        let limit = duration(within);
        finding.expected(format!("all modules can be paused within {limit}")).observed(observed)
    };
    match judged {
        Ok(finding) => Ok(seen(finding)),
        Err(finding) => Err(seen(finding)),
    }
}

/// What is known of a brake before it is judged.
struct Brake<'a> {
    view: &'a View<'a>,
    pause: &'a Subject,
    modules: &'a [Subject],
    governance: Address,
}

impl Brake<'_> {
    async fn judge(
        &self,
        states: Vec<Result<State, Finding>>,
        wait: Result<Option<U256>, Finding>,
        within: Duration,
    ) -> Judged {
        let Self { view, pause, modules, governance } = *self;
        let states: Vec<State> = states.into_iter().collect::<Result<_, Finding>>()?;
        let paused = states.iter().filter(|state| state.paused).count();
        self.wired(states)?;
        if governance.is_zero() {
            return Err(Finding::failed(format!("nobody governs {pause}: `governance()` is the zero address"))
                .asked(view.cast_get(pause, "governance()(address)")));
        }
        let all_paused = paused == modules.len();
        if !all_paused {
            can_pull(view, pause, governance).await?;
        }
        let (who, limit) = (view.who(governance), duration(within));
        Ok(match wait? {
            Some(wait) if wait > U256::from(within.as_secs()) => {
                let message = format!(
                    "the brake of {pause} takes {}: its governance {who} is a timelock with that delay, longer than {limit}",
                    delay(wait)
                );
                let subject = Subject { name: "governance".to_owned(), address: governance };
                Finding::failed(message).asked(view.cast_get(&subject, "getMinDelay()(uint256)"))
            }
            _ if all_paused => Finding::passed(format!("all eight modules of {pause} are already paused")),
            Some(wait) => {
                Finding::passed(format!("{who} can pause all eight modules of {pause} after {}", delay(wait)))
            }
            None => Finding::passed(format!("{who} can pause all eight modules of {pause} at once")),
        })
    }

    /// Each module must obey the `SystemPause`, and nobody else may say who pauses: whoever does can unpause.
    fn wired(&self, states: Vec<State>) -> Result<(), Finding> {
        let (view, pause) = (self.view, self.pause);
        let mut loose = Vec::new();
        for (module, state) in self.modules.iter().zip(states) {
            for (name, who) in [("owner", state.owner), ("pauser", state.pauser)] {
                let who = who?;
                if who != pause.address {
                    loose.push((module, name, who));
                }
            }
            let fits = |who: &Address| who.is_zero() || [pause.address, self.governance].contains(who);
            loose.extend(state.manager?.filter(|who| !fits(who)).map(|who| (module, "pauserManager", who)));
        }
        let Some((module, name, _)) = loose.first() else { return Ok(()) };
        let asked = view.cast_get(module, &format!("{name}()(address)"));
        let words: Vec<String> =
            loose.iter().map(|(module, name, who)| format!("`{name}()` of {module} is {}", view.who(*who))).collect();
        Err(Finding::failed(format!("not wired to {pause}: {}", words.join("; "))).asked(asked))
    }
}

/// `pauseAll()` must succeed when the governance calls it.
async fn can_pull(view: &View<'_>, pause: &Subject, governance: Address) -> Result<(), Finding> {
    let pull = Signature::parse("pauseAll()").map_err(Finding::unknown)?;
    let asked = || view.cast_call(Some(governance), pause.address, &pull, &[]);
    match view.simulate(Some(governance), pause, pull.encode(&[])).await.map_err(|finding| finding.or_asked(asked()))? {
        Simulated::Returned(bytes) => strict(&[], &bytes)
            .map(|_| ())
            .map_err(|reason| Finding::unknown(format!("`pauseAll()` of {pause}: {reason}")).asked(asked())),
        Simulated::Reverted(data) => {
            let reason = revert::reason(data.as_deref());
            let who = view.who(governance);
            let message = format!("`pauseAll()` of {pause} from its governance {who} reverts {}", with(&reason));
            let blocked = revert::says_paused(data.as_deref());
            let way = "pause each running module by itself with `executeGovernanceCall(module, pause())`";
            let finding = Finding::failed(message).asked(asked());
            Err(if blocked { finding.hint(way) } else { finding })
        }
    }
}

/// How long the governance must wait, where it is a timelock.
///
/// What is declared a timelock must tell its delay. Anything else may have no such function: then it has no delay.
async fn governance_delay(view: &View<'_>, governance: Address) -> Result<Option<U256>, Finding> {
    let declared = view.around.contracts().into_iter().find(|known| known.address == governance);
    let name = declared.as_ref().map_or("governance", |known| known.name.as_str());
    let subject = Subject { name: name.to_owned(), address: governance };
    match declared.map(|known| known.kind) {
        Some(ContractKind::Timelock) => view.number_of(&subject, "getMinDelay").await.map(Some),
        Some(ContractKind::Safe) => view.code(&subject).await.map(|_| None),
        _ => undeclared_delay(view, &subject).await,
    }
}

async fn undeclared_delay(view: &View<'_>, subject: &Subject) -> Result<Option<U256>, Finding> {
    if view.one(Question::Code(subject.address)).await == Answer::Bytes(Vec::new()) {
        return Ok(None);
    }
    let ask = Signature::parse("getMinDelay()(uint256)").map_err(Finding::unknown)?;
    match view.simulate(None, subject, ask.encode(&[])).await? {
        Simulated::Reverted(_) => Ok(None),
        Simulated::Returned(bytes) if bytes.is_empty() => Ok(None),
        Simulated::Returned(bytes) => {
            let delay = strict(&ask.outputs, &bytes)
                .map_err(|reason| Finding::unknown(format!("`getMinDelay()` of {subject}: {reason}")))?;
            Ok(delay.into_iter().next().and_then(ethers::abi::Token::into_uint))
        }
    }
}
