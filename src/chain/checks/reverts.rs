//! `reverts`: whether a call is refused, and for the declared reason. A timeout, a codeless address or another reason is
//! never taken for a refusal.

use serde_json::json;

use super::call::arguments;
use crate::chain::abi::Signature;
use crate::chain::finding::{Finding, Judged};
use crate::chain::revert;
use crate::chain::text::hex;
use crate::chain::view::{Simulated, View, with};
use crate::runbook::Template;

/// The check as the runbook has it.
pub(super) struct Asked<'a> {
    pub(super) of: &'a str,
    pub(super) signature: &'a str,
    pub(super) args: &'a [Template],
    pub(super) from: Option<&'a str>,
    /// An error's signature such as `NotGovernance()`, or its selector.
    pub(super) with: &'a str,
}

pub(super) async fn judge(view: &View<'_>, asked: Asked<'_>) -> Judged {
    let (subject, _) = view.contract(asked.of)?;
    let signature = Signature::parse(asked.signature).map_err(Finding::unknown)?;
    let arguments = arguments(view, &signature, asked.args)?;
    let from = asked.from.map(|name| view.contract(name)).transpose()?.map(|(from, _)| from.address);
    let what = format!("`{}` of {subject}", signature.short());
    let expected = format!("a revert with {}", asked.with);
    let asked_again = view.cast_call(from, subject.address, &signature, &arguments);
    let wanted = selector(asked.with).map_err(Finding::unknown)?;
    let simulated = view.simulate(from, &subject, signature.encode(&arguments)).await;
    let finding = match simulated? {
        Simulated::Returned(bytes) => {
            Finding::failed(format!("{what} does not revert")).observed(json!({ "returned": hex(&bytes) }))
        }
        Simulated::Reverted(None) => Finding::unknown(format!("{what} reverts, and the endpoints do not tell why"))
            .observed(json!({ "reverted": null })),
        Simulated::Reverted(Some(data)) => {
            let reason = with(&revert::reason(Some(&data)));
            let observed = json!({ "reverted": hex(&data) });
            let same = data.get(..4).is_some_and(|selector| selector == wanted);
            let passed = format!("{what} reverts {reason}");
            Finding::if_true(same, &passed, format!("{passed}, not with {}", asked.with)).observed(observed)
        }
    };
    Ok(finding.expected(expected).asked(asked_again))
}

/// The first four bytes of a revert's data.
fn selector(with: &str) -> Result<[u8; 4], String> {
    match with.strip_prefix("0x").and_then(|_| crate::chain::text::unhex(with)) {
        Some(bytes) => bytes.try_into().map_err(|_| format!("`{with}` is not four bytes")),
        None => Signature::parse(with).map(|error| error.selector()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_named_or_given_by_selector() {
        let check = |with: &str, expected: Option<[u8; 4]>| assert_eq!(selector(with).ok(), expected, "{with}");
        check("NotGovernance()", Some([0xb5, 0x6f, 0x93, 0x2c]));
        check("0xb56f932c", Some([0xb5, 0x6f, 0x93, 0x2c]));
        check("Error(string)", Some([0x08, 0xc3, 0x79, 0xa0]));
        check("0xb56f93", None);
        check("nonsense", None);
    }
}
