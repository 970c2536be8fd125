//! The checkout that steps run in: finding it, what git says of it, the tools that run in it, and the script bodies
//! that stand behind its commands. Reads only.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::beneath;
use crate::digest::sha256;
use crate::process::{query, which};
use crate::programs::Programs;
use crate::runbook::{Action, Runbook, Scope, Step, StepId, Tool};

/// A workspace that was found.
#[derive(Debug, Clone)]
pub struct Workspace {
    pub dir: PathBuf,
    /// It is the practice workspace, or a copy of it.
    pub practice: bool,
    /// Commit and changed tracked files, where it is a git repository and git is there.
    pub commit: Option<String>,
    /// What citadel itself uses, found outside of it.
    pub programs: Programs,
}

/// Looks for the workspace: the one that was named, else the folder that citadel was started in or one above it, else,
/// on a dev chain, the practice workspace beside the runbook. `Err` is a sentence of what was looked for.
pub fn find(runbook: &Runbook, named: Option<&Path>, here: &Path, dev: bool) -> Result<PathBuf, String> {
    let marker = &runbook.workspace.marker;
    let is = |dir: &Path| dir.join(marker).is_file();
    if let Some(dir) = named {
        let dir = dir.canonicalize().map_err(|error| format!("the workspace `{}`: {error}", dir.display()))?;
        return if is(&dir) { Ok(dir) } else { Err(format!("`{}` has no `{marker}`", dir.display())) };
    }
    if let Some(dir) = here.ancestors().find(|dir| is(dir)) {
        return Ok(dir.to_owned());
    }
    if let (true, Some(practice)) = (dev, &runbook.workspace.practice) {
        let dir = runbook.folder.join(&practice.dir);
        return match dir.canonicalize() {
            Ok(dir) if is(&dir) => Ok(dir),
            _ => Err(format!("the practice workspace `{}` has no `{marker}`", dir.display())),
        };
    }
    Err(format!("no folder here or above `{}` has `{marker}`", here.display()))
}

impl Workspace {
    /// What there is to know about the workspace `dir` without asking git.
    pub fn glance(runbook: &Runbook, dir: PathBuf, env: &BTreeMap<String, String>) -> Self {
        let practice = runbook.workspace.practice.as_ref().is_some_and(|practice| dir.join(&practice.marker).is_file());
        let programs = Programs::find(path_of(env), &dir);
        Self { dir, practice, commit: None, programs }
    }

    /// What there is to know about the workspace `dir`.
    pub async fn inspect(runbook: &Runbook, dir: PathBuf, env: &BTreeMap<String, String>) -> Self {
        let mut workspace = Self::glance(runbook, dir, env);
        workspace.ask_git(env).await;
        workspace
    }

    /// Learns of the commit that is checked out.
    pub async fn ask_git(&mut self, env: &BTreeMap<String, String>) {
        self.commit = match self.programs.get("git") {
            Some(git) => commit(git, &self.dir, env).await,
            None => None,
        };
    }
}

async fn commit(git: &Path, dir: &Path, env: &BTreeMap<String, String>) -> Option<String> {
    let git = |args: &[&str]| query(asking(git, args), dir.to_owned(), env, Duration::from_secs(10));
    let commit = git(&["rev-parse", "HEAD"]).await.ok()?;
    let changed = git(&["status", "--porcelain", "--untracked-files=no", "--", "."]).await.ok()?;
    let dirty = if changed.trim().is_empty() { "" } else { " with changes" };
    Some(format!("{}{dirty}", commit.trim()))
}

/// The tracked files that differ from the commit, with the SHA-256 of what they hold now; nothing where the workspace
/// is no repository.
pub async fn tracked_changes(workspace: &Workspace, env: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let (Some(git), dir) = (workspace.programs.get("git"), &workspace.dir) else { return BTreeMap::new() };
    let argv = asking(git, &["diff", "--name-only", "--no-ext-diff", "--relative", "-z", "HEAD"]);
    let listed = query(argv, dir.to_owned(), env, Duration::from_mins(1)).await.unwrap_or_default();
    let hash = |file: &str| read_file(dir, file).map_or_else(|_| "gone".to_owned(), |bytes| sha256(&bytes));
    listed.split('\0').filter(|file| !file.is_empty()).map(|file| (file.to_owned(), hash(file))).collect()
}

/// A question to git that runs nothing which the repository's own configuration names.
fn asking(git: &Path, args: &[&str]) -> Vec<String> {
    let quiet = ["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "diff.external="];
    let words = quiet.iter().chain(args).map(ToString::to_string);
    std::iter::once(git.display().to_string()).chain(words).collect()
}

fn path_of(env: &BTreeMap<String, String>) -> &str {
    env.get("PATH").map_or("", String::as_str)
}

/// The version of a tool that is wanted, and the one that is there; `Err` is a sentence.
#[derive(Debug)]
pub struct Versions {
    pub wanted: Result<String, String>,
    pub found: Result<String, String>,
}

impl Versions {
    /// Whether the tool is the wanted one, as far as the wanted version goes.
    pub fn fit(&self) -> bool {
        let (Ok(wanted), Ok(found)) = (&self.wanted, &self.found) else { return false };
        found.split(['.', '-', ' ']).zip(wanted.split('.')).all(|(found, wanted)| found == wanted)
    }
}

/// What a tool's version is, and what it must be.
pub async fn versions(tool: &Tool, dir: &Path, env: &BTreeMap<String, String>) -> Versions {
    let file = dir.join(&tool.version_file);
    let wanted = std::fs::read_to_string(&file).map_err(|error| format!("`{}`: {error}", file.display()));
    let wanted = wanted.map(|text| text.trim().trim_start_matches('v').to_owned());
    let found = tool_version(tool, dir, env).await;
    let found = found.and_then(|found| found.ok_or_else(|| format!("`{}` is not on the PATH", tool.name)));
    Versions { wanted, found }
}

/// Whether a tool is the one that is wanted. `Err` is a sentence for the list of what is missing.
pub async fn tool(tool: &Tool, dir: &Path, env: &BTreeMap<String, String>) -> Result<(), String> {
    let versions = versions(tool, dir, env).await;
    let fit = versions.fit();
    let (wanted, file) = (versions.wanted?, &tool.version_file);
    match versions.found {
        Ok(_) if fit => Ok(()),
        Ok(found) => Err(format!("`{}` is {found}; {file} asks for {wanted}", tool.name)),
        Err(why) => Err(format!("{why}; {file} asks for {wanted}")),
    }
}

/// The version that a tool says it is; none where it is not there.
pub async fn tool_version(tool: &Tool, dir: &Path, env: &BTreeMap<String, String>) -> Result<Option<String>, String> {
    let Some(program) = which::which(&tool.name, path_of(env), dir) else { return Ok(None) };
    let argv = vec![program.display().to_string(), "--version".into()];
    let said = query(argv, dir.to_owned(), env, Duration::from_secs(20)).await?;
    Ok(Some(said.trim().trim_start_matches(|c: char| !c.is_ascii_digit()).to_owned()))
}

/// The npm script bodies and Makefiles behind the commands of `steps`: an edited script is a changed runbook. Templates
/// are filled with what is known; a script that is not there is left out, and its step will say so when it runs.
pub fn scripts<'a>(dir: &Path, steps: impl IntoIterator<Item = &'a Step>, scope: &Scope) -> BTreeMap<StepId, String> {
    let package = std::fs::read_to_string(dir.join("package.json")).ok();
    let package: Option<serde_json::Value> = package.and_then(|text| serde_json::from_str(&text).ok());
    let body = |step: &Step| match &step.action {
        Action::Npm { script, .. } => {
            let script = script.render(scope).ok()?;
            package.as_ref()?.get("scripts")?.get(script)?.as_str().map(str::to_owned)
        }
        Action::Make { dir: folder, .. } => {
            let folder = folder.as_ref().map_or(Ok(String::new()), |folder| folder.render(scope)).ok()?;
            std::fs::read_to_string(dir.join(folder).join("Makefile")).ok()
        }
        Action::Run { .. } | Action::Shell { .. } | Action::Manual { .. } | Action::Secrets { .. } => None,
    };
    steps.into_iter().filter_map(|step| Some((step.id.clone(), body(step)?))).collect()
}

/// Reads a file of the workspace: a regular one of a sane size inside it, with no link on the way to it.
pub fn read_file(dir: &Path, relative: &str) -> anyhow::Result<Vec<u8>> {
    Ok(beneath::read(dir, relative)?.bytes)
}
