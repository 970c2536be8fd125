//! What changed between two observations of the same check, in words: `threshold 3 to 2`, `owner 0x… removed`.
//! Pure: knows neither where observations come from nor whether a change is allowed.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use crate::text::seconds;

/// What moves on its own: told, and no change.
const MOVING: &str = "nonce";

/// The address that stands for nobody.
const NOBODY: &str = "0x0000000000000000000000000000000000000000";

/// Lists whose entries come and go in words of their own; of any other list they are added and removed.
const LISTS: [(&str, &str, &str); 7] = [
    ("pending", "operation {} was scheduled", "operation {} is no longer pending"),
    ("modules", "module {} enabled", "module {} disabled"),
    ("members", "the role was granted to {}", "the role was taken from {}"),
    ("proposers", "{} may propose now", "{} may no longer propose"),
    ("cancellers", "{} may cancel now", "{} may no longer cancel"),
    ("executors", "{} may execute now", "{} may no longer execute"),
    ("administrators", "{} administers its roles now", "{} no longer administers its roles"),
];

/// Yes and no that have words of their own, by the name of the value, or of what it is in.
const FLAGS: [(&str, &str, &str); 7] = [
    ("paused", "{} is paused now", "{} runs again"),
    ("settlers", "settler {} is allowed now", "settler {} is off now"),
    ("held", "the role was granted to {}", "the role was taken from {}"),
    ("not_held", "the role was granted to {}", "the role was taken from {}"),
    ("open_execution", "anyone may execute now", "not everyone may execute any more"),
    ("open_proposal", "anyone may propose now", "not everyone may propose any more"),
    ("self_administered", "it administers its own roles now", "it no longer administers its own roles"),
];

/// One thing that is not what it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Where in the observation: `threshold`, `feePool.paused`.
    pub path: String,
    /// A lowercase fragment for an operator.
    pub words: String,
    /// It moves on its own, as a nonce does.
    pub moving: bool,
}

/// Every change from `then` to `now`; `who` names an address.
pub fn changes(then: &Value, now: &Value, who: &dyn Fn(&str) -> String) -> Vec<Change> {
    let mut walk = Walk { who, path: Vec::new(), found: Vec::new() };
    walk.compare(then, now);
    walk.found
}

struct Walk<'a> {
    who: &'a dyn Fn(&str) -> String,
    path: Vec<String>,
    found: Vec<Change>,
}

impl Walk<'_> {
    fn compare(&mut self, then: &Value, now: &Value) {
        match (then, now) {
            _ if then == now => {}
            (Value::Object(before), Value::Object(after)) => {
                for name in before.keys().chain(after.keys().filter(|name| !before.contains_key(*name))) {
                    self.path.push(name.clone());
                    self.compare(before.get(name).unwrap_or(&Value::Null), after.get(name).unwrap_or(&Value::Null));
                    self.path.pop();
                }
            }
            (Value::Array(before), Value::Array(after)) if plain(before) && plain(after) => self.list(before, after),
            (Value::Bool(_), Value::Bool(is)) => self.flag(*is),
            _ => self.value(then, now),
        }
    }

    fn list(&mut self, before: &[Value], after: &[Value]) {
        let texts = |list: &[Value]| list.iter().map(|item| self.word(item)).collect::<Vec<String>>();
        let (before, after) = (texts(before), texts(after));
        let (was, is): (BTreeSet<&String>, BTreeSet<&String>) = (before.iter().collect(), after.iter().collect());
        let name = self.name().to_owned();
        let one = name.strip_suffix('s').unwrap_or(&name);
        let own = LISTS.iter().find(|(list, ..)| *list == name);
        let (came, went) = own.map_or_else(
            || (format!("{one} {{}} added"), format!("{one} {{}} removed")),
            |(_, came, went)| ((*came).to_owned(), (*went).to_owned()),
        );
        let added: Vec<String> = is.difference(&was).map(|item| came.replace("{}", item)).collect();
        let removed: Vec<String> = was.difference(&is).map(|item| went.replace("{}", item)).collect();
        if added.is_empty() && removed.is_empty() {
            self.tell(format!("{name} {} to {}", before.join(", "), after.join(", ")));
        }
        for words in added.into_iter().chain(removed) {
            self.tell(words);
        }
    }

    fn flag(&mut self, is: bool) {
        let (name, parent) = (self.name().to_owned(), self.parent().to_owned());
        let own = FLAGS.iter().find(|(flag, ..)| *flag == name).map(|words| (words, parent.clone()));
        let own = own.or_else(|| FLAGS.iter().find(|(flag, ..)| *flag == parent).map(|words| (words, name.clone())));
        match own {
            Some(((_, yes, no), what)) => {
                let what = (self.who)(&what);
                self.tell(if is { yes } else { no }.replace("{}", &what));
            }
            None => self.tell(format!("{} {} to {is}", self.path.join("."), !is).trim_start().to_owned()),
        }
    }

    fn value(&mut self, then: &Value, now: &Value) {
        let path = self.path.join(".");
        let words = match (address(then), address(now)) {
            (Some(NOBODY), Some(to)) => format!("{path} set to {}", (self.who)(to)),
            (Some(from), Some(NOBODY)) => format!("{path} {} removed", (self.who)(from)),
            _ => format!("{path} {} to {}", self.word(then), self.word(now)),
        };
        self.tell(words.trim_start().to_owned());
    }

    fn word(&self, value: &Value) -> String {
        match value {
            Value::Null => "nothing".to_owned(),
            Value::String(text) if address(value).is_some() => (self.who)(text),
            Value::String(text) if self.name() == "delay" => text.parse().map_or_else(|_| text.clone(), seconds),
            Value::String(text) => text.clone(),
            Value::Array(items) if !items.is_empty() && plain(items) => {
                items.iter().map(|item| self.word(item)).collect::<Vec<_>>().join(", ")
            }
            other => other.to_string().replace('"', ""),
        }
    }

    fn name(&self) -> &str {
        self.path.last().map_or("", String::as_str)
    }

    fn parent(&self) -> &str {
        self.path.iter().rev().nth(1).map_or("", String::as_str)
    }

    fn tell(&mut self, words: String) {
        let change = Change { path: self.path.join("."), words, moving: self.name() == MOVING };
        self.found.push(change);
    }
}

fn plain(list: &[Value]) -> bool {
    !list.iter().any(|item| item.is_object() || item.is_array())
}

fn address(value: &Value) -> Option<&str> {
    value.as_str().filter(|text| text.len() == 42 && text.starts_with("0x"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ANN: &str = "0x00000000000000000000000000000000000000A1";
    const BOB: &str = "0x00000000000000000000000000000000000000B2";

    fn check(then: &Value, now: &Value, expected: &[&str]) {
        let who = |text: &str| match text {
            ANN => "ann".to_owned(),
            BOB => "bob".to_owned(),
            other => other.to_owned(),
        };
        let found = changes(then, now, &who);
        let words: Vec<&str> = found.iter().map(|change| change.words.as_str()).collect();
        assert_eq!(words, expected, "{then} {now}");
        assert_eq!(changes(now, now, &who), [], "nothing changes by itself");
    }

    #[test]
    fn each_change_has_its_words() {
        check(&json!({ "threshold": "3" }), &json!({ "threshold": "2" }), &["threshold 3 to 2"]);
        check(&json!({ "owners": [ANN] }), &json!({ "owners": [BOB] }), &["owner bob added", "owner ann removed"]);
        check(&json!({ "owners": [ANN, BOB] }), &json!({ "owners": [BOB, ANN] }), &["owners ann, bob to bob, ann"]);
        check(&json!({ "modules": [] }), &json!({ "modules": [BOB] }), &["module bob enabled"]);
        check(&json!({ "modules": [BOB] }), &json!({ "modules": [] }), &["module bob disabled"]);
        check(&json!({ "members": [ANN] }), &json!({ "members": [ANN, BOB] }), &["the role was granted to bob"]);
        check(&json!({ "held": { ANN: true } }), &json!({ "held": { ANN: false } }), &["the role was taken from ann"]);
        check(&json!({ "guard": NOBODY }), &json!({ "guard": ANN }), &["guard set to ann"]);
        check(&json!({ "guard": ANN }), &json!({ "guard": NOBODY }), &["guard ann removed"]);
        check(&json!({ "singleton": ANN }), &json!({ "singleton": BOB }), &["singleton ann to bob"]);
        check(&json!({ "delay": "172800" }), &json!({ "delay": "3600" }), &["delay 48h to 1h"]);
        check(&json!({ "proposers": [ANN] }), &json!({ "proposers": [] }), &["ann may no longer propose"]);
        check(
            &json!({ "feePool": { "paused": false, "pauser": ANN } }),
            &json!({ "feePool": { "paused": true, "pauser": NOBODY } }),
            &["feePool is paused now", "feePool.pauser ann removed"],
        );
        check(
            &json!({ "settlers": { ANN: false } }),
            &json!({ "settlers": { ANN: true } }),
            &["settler ann is allowed now"],
        );
        check(&json!({ "open_execution": false }), &json!({ "open_execution": true }), &["anyone may execute now"]);
        check(&json!({ "a": 1 }), &json!({ "b": 1 }), &["a 1 to nothing", "b nothing to 1"]);
        check(&json!("1"), &json!("100"), &["1 to 100"]);
        check(&json!(true), &json!(false), &["true to false"]);
        check(&json!({ "owners": [ANN, BOB] }), &json!({}), &["owners ann, bob to nothing"]);
        check(&json!({ "x": [[1]] }), &json!({ "x": [[2]] }), &["x [[1]] to [[2]]"]);
    }

    #[test]
    fn a_nonce_moves_on_its_own() {
        let found = changes(&json!({ "nonce": "1" }), &json!({ "nonce": "2" }), &str::to_owned);
        assert!(found.iter().all(|change| change.moving), "{found:?}");
    }
}
