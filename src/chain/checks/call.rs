//! `call`: what a function of a contract tells, held against the runbook's rules.

use ethers::abi::Token;

use super::rules::hold;
use crate::chain::abi::{Signature, from_text};
use crate::chain::finding::{Finding, Judged};
use crate::chain::value::to_json;
use crate::chain::view::View;
use crate::runbook::{Predicate, Template};

/// The check as the runbook has it.
pub(super) struct Asked<'a> {
    pub(super) of: &'a str,
    pub(super) signature: &'a str,
    pub(super) args: &'a [Template],
    pub(super) from: Option<&'a str>,
    pub(super) rules: &'a [Predicate],
}

pub(super) async fn judge(view: &View<'_>, asked: Asked<'_>) -> Judged {
    let (subject, _) = view.contract(asked.of)?;
    let signature = Signature::parse(asked.signature).map_err(Finding::unknown)?;
    let arguments = arguments(view, &signature, asked.args)?;
    let from = asked.from.map(|name| view.contract(name)).transpose()?.map(|(from, _)| from.address);
    let tokens = view.call_from(from, &subject, &signature, &arguments).await?;
    let value = to_json(&tokens);
    let what = format!("`{}` of {subject}", signature.short());
    let repeat = view.cast_call(from, subject.address, &signature, &arguments);
    match hold(asked.rules, &what, &value, view).await {
        Ok(()) => Ok(Finding::passed(format!("{what} is {value}")).observed(value)),
        Err(finding) => Err(finding.observed(value).asked(repeat)),
    }
}

/// The arguments, filled in and read by their types.
pub(super) fn arguments(view: &View<'_>, signature: &Signature, args: &[Template]) -> Result<Vec<Token>, Finding> {
    if args.len() != signature.inputs.len() {
        let message = format!("`{}` takes {} arguments, not {}", signature.short(), signature.inputs.len(), args.len());
        return Err(Finding::unknown(message).hint("mend `args` of the check in the runbook"));
    }
    let read = |(of, template): (_, &Template)| {
        let text = template.render(view.around.scope()).map_err(|name| format!("`{name}` has no value yet"))?;
        from_text(of, &text)
    };
    let tokens: Result<Vec<Token>, String> = signature.inputs.iter().zip(args).map(read).collect();
    tokens.map_err(|reason| Finding::unknown(format!("an argument of `{}`: {reason}", signature.short())))
}
