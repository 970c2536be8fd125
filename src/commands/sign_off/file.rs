//! Sign-offs on another machine: a statement's copy shown and verified without a run, and keys imported for `[signers]`.

use std::fmt::Write;
use std::path::Path;

use jiff::Timestamp;

use super::run::{input, rendered};
use crate::cli::{SignOffImport, SignOffVerify};
use crate::commands::context::Context;
use crate::digest::sha256;
use crate::error::{ExitCode, Failure};
use crate::signoff::{self, allowed_signers};
use crate::terminal;
use crate::text::{Line, Tone};

/// A statement's copy, with the hash to compare.
pub(super) fn show(file: &str) -> Result<ExitCode, Failure> {
    let text = input(file)?;
    let fields = read(file, text.as_bytes())?;
    let hash = sha256(text.as_bytes());
    let mut lines = vec![Line::new(0).add(Tone::Strong, fields.title)];
    let checks = fields.lines.iter().filter(|(name, _)| *name == "check").count();
    let shown = fields.lines.iter().filter(|(name, _)| *name != "check");
    lines.extend(shown.map(|(name, value)| Line::new(2).quiet(format!("{name:<17}")).plain(value).wrapped(19)));
    if checks > 0 {
        lines.push(
            Line::new(2).quiet(format!("{:<17}", "checks")).plain(format!("{checks}, each with its value in the file")),
        );
    }
    let short = format!("{}…{}", &hash[..8], &hash[56..]);
    lines.push(
        Line::new(2).quiet(format!("{:<17}", "compare")).plain(format!("{short}, the SHA-256 of the file; in full:")),
    );
    lines.push(Line::new(4).add(Tone::Strong, hash));
    terminal::data(&rendered(&lines));
    Ok(ExitCode::Ok)
}

/// A signature on a statement's copy, by the keys of the runbook alone.
pub(super) fn verify(context: &Context, args: &SignOffVerify) -> Result<ExitCode, Failure> {
    let (statement, signature) = (args.statement.as_deref().unwrap_or("-"), args.signature.as_deref().unwrap_or("-"));
    let text = input(statement)?;
    read(statement, text.as_bytes())?;
    let keys: Vec<_> = context.runbook.signers.values().flat_map(|group| &group.keys).cloned().collect();
    match signoff::verify(text.as_bytes(), &input(signature)?, &keys) {
        Ok(verified) => {
            terminal::data(&format!("good: by {} with {}\n", verified.who, verified.key));
            Ok(ExitCode::Ok)
        }
        Err(refused) => Err(Failure::new(ExitCode::EvidenceBroken, format!("`{signature}` {}", refused.0))
            .hint("whether the signer was asked and counts, the run itself says: `citadel sign-off add FILE`")),
    }
}

fn read<'a>(file: &str, bytes: &'a [u8]) -> Result<signoff::Fields<'a>, Failure> {
    signoff::fields(bytes).map_err(|why| Failure::new(ExitCode::Usage, format!("`{file}` {why}")))
}

/// An `allowed_signers` file as lines for `[signers]`, to be pasted after review; nothing where a line cannot be honoured.
pub(super) fn import(context: &Context, args: &SignOffImport) -> Result<ExitCode, Failure> {
    let path = context.here.join(&args.file);
    let text = signoff::read_signature(Path::new(&path));
    let text = text.map_err(|why| Failure::new(ExitCode::Usage, format!("`{}` {why}", args.file.display())))?;
    let (signers, problems) = allowed_signers::parse(&text, Timestamp::now());
    let mut details: Vec<String> = problems.iter().map(ToString::to_string).collect();
    let mut lines = String::new();
    for signer in &signers {
        details.extend(
            signer.not_honoured(signoff::NAMESPACE).into_iter().map(|why| format!("line {}: {why}", signer.line)),
        );
        for who in &signer.principals {
            let _ = writeln!(lines, "  {{ who = {}, ssh = {} }},", quoted(who), quoted(&signer.key));
        }
    }
    if signers.is_empty() && details.is_empty() {
        details.push("no line names a key".to_owned());
    }
    if !details.is_empty() {
        details.sort();
        let mut failure = Failure::new(ExitCode::EvidenceBroken, "the file cannot be imported; nothing was written")
            .hint("mend or remove these lines, then import again");
        failure.details = details;
        return Err(failure);
    }
    terminal::data(&format!("[signers.{}]\nkey = [\n{lines}]\n", args.group));
    terminal::note("paste this into the runbook after you have compared every key with its owner");
    Ok(ExitCode::Ok)
}

/// A TOML string.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
