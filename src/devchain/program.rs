//! Finds Anvil: `$ANVIL`, the PATH, the workspace's own packages, else npm fetches the pinned version.
//!
//! Starts nothing.

use std::path::Path;

use super::Request;
use crate::error::{ExitCode, Failure};
use crate::process::which::which;

/// The npm package that carries Anvil.
const PACKAGE: &str = "@foundry-rs/anvil";

/// How to start Anvil here, without its arguments.
pub(super) fn find(request: &Request<'_>) -> Result<Vec<String>, Failure> {
    let chain = request.chain()?;
    if chain.program != "anvil" {
        let message = format!("`{}` is not a dev chain that citadel can start", chain.program);
        return Err(Failure::new(ExitCode::Precondition, message).hint("write `program = \"anvil\"`"));
    }
    let path = request.env.get("PATH").map_or("", String::as_str);
    if let Some(named) = request.anvil.filter(|name| !name.is_empty()) {
        let file = which(named, path, request.folder).ok_or_else(|| {
            Failure::new(ExitCode::Precondition, format!("`$ANVIL` is `{named}`, which is not an executable file"))
                .hint("`unset ANVIL`, or set it to the Anvil program")
        })?;
        return Ok(vec![text(&file)]);
    }
    let packages = text(&request.folder.join(&chain.dir).join("node_modules/.bin"));
    if let Some(file) = which("anvil", path, request.folder).or_else(|| which("anvil", &packages, request.folder)) {
        return Ok(vec![text(&file)]);
    }
    if which("npm", path, request.folder).is_none() {
        return Err(Failure::new(ExitCode::Precondition, "neither `anvil` nor `npm` is on the PATH")
            .hint("install Node.js with npm, or Anvil, then run again"));
    }
    let package = format!("{PACKAGE}@{}", chain.version);
    Ok(["npm", "exec", "--yes", "--package", &package, "--", "anvil"].map(str::to_owned).to_vec())
}

fn text(file: &Path) -> String {
    file.to_string_lossy().into_owned()
}
