//! Function types, `name(inputs)(outputs)`, as in `getRoleAdmin(bytes32)(bytes32)`.
//!
//! A grammar of its own: the one in ethabi panics on some malformed texts and knows no places.

use super::Wrong;

/// Deeper nesting than any contract has.
const DEEPEST: usize = 8;

const SHAPE: &str = "write the inputs and the outputs, as in \"balanceOf(address)(uint256)\"";

/// What a check needs to know of a function.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::runbook) struct Function {
    pub(in crate::runbook) inputs: usize,
    pub(in crate::runbook) outputs: usize,
}

/// Reads a function's type.
pub(in crate::runbook) fn function(text: &str) -> Result<Function, Wrong> {
    let mut cursor = Cursor { text, at: 0 };
    let name = cursor.word();
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(cursor.wrong("a function's name"));
    }
    let inputs = cursor.list(0)?;
    if cursor.rest().is_empty() {
        let wrong = Wrong::new(format!("`{text}` does not say what it returns")).part(text.len()..text.len());
        return Err(wrong.label("the outputs are missing").help(format!("{SHAPE}; nothing is `()`")));
    }
    let outputs = cursor.list(0)?;
    if !cursor.rest().is_empty() {
        return Err(cursor.wrong("the end"));
    }
    Ok(Function { inputs, outputs })
}

/// A custom error such as `NotGovernance()`, or its selector of four bytes.
pub(in crate::runbook) fn error(text: &str) -> Result<String, Wrong> {
    let shape = "such as \"NotGovernance()\", \"Error(string)\" or \"0xb56f932c\"";
    if let Some(digits) = text.strip_prefix("0x") {
        let good = digits.len() == 8 && digits.chars().all(|c| c.is_ascii_hexdigit());
        return if good {
            Ok(text.to_lowercase())
        } else {
            Err(Wrong::new(format!("`{text}` is not four bytes")).help(shape))
        };
    }
    match function(&format!("{text}()")) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err(Wrong::new(format!("`{text}` is not an error's signature")).help(shape)),
    }
}

/// A function as it is called, `name(inputs)`: what it returns does not matter.
pub(in crate::runbook) fn called(text: &str) -> Result<String, Wrong> {
    let shape = "write the name and the inputs, such as \"grantRole(bytes32,address)\"";
    match function(&format!("{text}()")) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err(Wrong::new(format!("`{text}` is not a function with its inputs")).help(shape)),
    }
}

/// A role's name such as `PAUSER_ROLE`, or its id of 32 bytes.
pub(in crate::runbook) fn role(text: &str) -> Result<String, Wrong> {
    if text.starts_with("0x") {
        return super::hash(text).map(|_| text.to_owned());
    }
    let good = !text.is_empty() && text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    let wrong =
        || Wrong::new(format!("`{text}` is not a role")).help("such as \"PAUSER_ROLE\", or `0x` and 64 hex digits");
    if good { Ok(text.to_owned()) } else { Err(wrong()) }
}

struct Cursor<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Cursor<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn word(&mut self) -> &'t str {
        let rest = self.rest();
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '$').unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn eat(&mut self, expected: char) -> bool {
        let eaten = self.rest().starts_with(expected);
        self.at += usize::from(eaten) * expected.len_utf8();
        eaten
    }

    /// `(type,type,…)`: how many types.
    fn list(&mut self, depth: usize) -> Result<usize, Wrong> {
        if depth > DEEPEST || !self.eat('(') {
            return Err(self.wrong("`(`"));
        }
        if self.eat(')') {
            return Ok(0);
        }
        let mut number = 0;
        loop {
            self.one(depth)?;
            number += 1;
            if self.eat(')') {
                return Ok(number);
            }
            if !self.eat(',') {
                return Err(self.wrong("`,` or `)`"));
            }
        }
    }

    fn one(&mut self, depth: usize) -> Result<(), Wrong> {
        if self.rest().starts_with('(') {
            self.list(depth + 1)?;
        } else {
            let start = self.at;
            let word = self.word();
            if word.is_empty() {
                return Err(self.wrong("a type"));
            }
            elementary(word)
                .map_err(|help| Wrong::new(format!("`{word}` is not an ABI type")).part(start..self.at).help(help))?;
        }
        while self.eat('[') {
            let start = self.at;
            let size = self.word();
            if !size.is_empty() && !size.parse::<u16>().is_ok_and(|size| size > 0) {
                return Err(Wrong::new(format!("`{size}` is not the size of an array")).part(start..self.at));
            }
            if !self.eat(']') {
                return Err(self.wrong("`]`"));
            }
        }
        Ok(())
    }

    fn wrong(&self, expected: &str) -> Wrong {
        let end = self.rest().chars().next().map_or(self.at, |c| self.at + c.len_utf8());
        let wrong = Wrong::new(format!("`{}` is not a function type", self.text)).part(self.at..end);
        wrong.label(format!("expected {expected} here")).help(SHAPE)
    }
}

/// An elementary type in its canonical spelling, which the selector is made of.
fn elementary(word: &str) -> Result<(), String> {
    match word {
        "address" | "bool" | "string" | "bytes" => return Ok(()),
        "uint" | "int" => return Err(format!("write `{word}256`")),
        _ => {}
    }
    let number = |prefix| word.strip_prefix(prefix).filter(|n| !n.starts_with('0')).and_then(|n| n.parse::<u16>().ok());
    let bits = number("uint").or_else(|| number("int"));
    let right = bits.is_some_and(|n| n % 8 == 0 && (8..=256).contains(&n))
        || number("bytes").is_some_and(|n| (1..=32).contains(&n));
    if right {
        return Ok(());
    }
    let common = ["address", "bool", "string", "bytes", "bytes32", "uint256", "int256", "uint8", "uint64"];
    let help = crate::runbook::suggest::help(word, common, "types are spelt as in an ABI");
    Err(help.unwrap_or_else(|| "types are spelt as in an ABI".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, inputs: usize, outputs: usize) {
        assert_eq!(function(text), Ok(Function { inputs, outputs }), "{text}");
    }

    #[track_caller]
    fn refuse(text: &str, part: &str) {
        let wrong = function(text).unwrap_err();
        let found = wrong.part.clone().map(|part| &text[part]);
        assert_eq!(found, Some(part), "{text}: {wrong:?}");
    }

    #[test]
    fn reads_types() {
        check("maxTemp()(int256)", 0, 1);
        check("hasRole(bytes32,address)(bool)", 2, 1);
        check("x((uint256,address[2])[],bytes4)((bool,string),int8)", 2, 2);
        check("pauseAll()()", 0, 0);
    }

    #[test]
    fn calls_have_inputs_alone() {
        let check = |text: &str, good: bool| assert_eq!(called(text).is_ok(), good, "{text}");
        check("grantRole(bytes32,address)", true);
        check("pauseAll()", true);
        check("grantRole", false);
        check("paused()(bool)", false);
        check("f(uint7)", false);
    }

    #[test]
    fn points_at_what_is_wrong() {
        refuse("maxTemp()", "");
        refuse("maxTemp", "");
        refuse("()(bool)", "(");
        refuse("f(uint)(bool)", "uint");
        refuse("f(uint7)(bool)", "uint7");
        refuse("f(uint256 amount)(bool)", " ");
        refuse("f(adress)(bool)", "adress");
        refuse("f(bool[x])()", "x");
        refuse("f(bool])()", "]");
        refuse("f(bool,)()", ")");
        refuse("f()() view", " ");
        refuse("é()()", "é");
        refuse("f(bytes33)()", "bytes33");
        refuse("f(bytes032)()", "bytes032");
        refuse(&format!("f{}", "(".repeat(50)), "(");
    }
}
