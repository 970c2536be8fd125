//! The checkout that steps run in: finding it, what git says of it, the tools that run in it, and the script bodies
//! that stand behind its commands. Reads only.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;

use crate::digest::sha256;
use crate::process::{query, which};
use crate::runbook::{Action, Runbook, Scope, Step, StepId, Tool};

/// A workspace that was found.
#[derive(Debug, Clone)]
pub struct Workspace {
    pub dir: PathBuf,
    /// It is the practice workspace, or a copy of it.
    pub practice: bool,
    /// Commit and changed tracked files, where it is a git repository and git is there.
    pub commit: Option<String>,
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
    /// What there is to know about the workspace `dir`.
    pub async fn inspect(runbook: &Runbook, dir: PathBuf, env: &BTreeMap<String, String>) -> Self {
        let practice = runbook.workspace.practice.as_ref().is_some_and(|practice| dir.join(&practice.marker).is_file());
        let commit = match which::which("git", path_of(env), &dir) {
            Some(git) => commit(&git, &dir, env).await,
            None => None,
        };
        Self { dir, practice, commit }
    }
}

async fn commit(git: &Path, dir: &Path, env: &BTreeMap<String, String>) -> Option<String> {
    let git = |args: &[&str]| {
        let argv = std::iter::once(git.display().to_string()).chain(args.iter().map(ToString::to_string)).collect();
        query(argv, dir.to_owned(), env, Duration::from_secs(10))
    };
    let commit = git(&["rev-parse", "HEAD"]).await.ok()?;
    let changed = git(&["status", "--porcelain", "--untracked-files=no", "--", "."]).await.ok()?;
    let dirty = if changed.trim().is_empty() { "" } else { " with changes" };
    Some(format!("{}{dirty}", commit.trim()))
}

/// The tracked files that differ from the commit, with the SHA-256 of what they hold now; nothing where the workspace
/// is no repository.
pub async fn tracked_changes(dir: &Path, env: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let Some(git) = which::which("git", path_of(env), dir) else { return BTreeMap::new() };
    let argv =
        [&git.display().to_string(), "diff", "--name-only", "--relative", "-z", "HEAD"].map(str::to_owned).to_vec();
    let listed = query(argv, dir.to_owned(), env, Duration::from_mins(1)).await.unwrap_or_default();
    let hash = |file: &str| read_file(dir, file).map_or_else(|_| "gone".to_owned(), |bytes| sha256(&bytes));
    listed.split('\0').filter(|file| !file.is_empty()).map(|file| (file.to_owned(), hash(file))).collect()
}

fn path_of(env: &BTreeMap<String, String>) -> &str {
    env.get("PATH").map_or("", String::as_str)
}

/// What a tool's version is, and what it must be. `Err` is a sentence for the list of what is missing.
pub async fn tool(tool: &Tool, dir: &Path, env: &BTreeMap<String, String>) -> Result<(), String> {
    let file = dir.join(&tool.version_file);
    let wanted = std::fs::read_to_string(&file).map_err(|error| format!("`{}`: {error}", file.display()))?;
    let wanted = wanted.trim().trim_start_matches('v').to_owned();
    let Some(found) = tool_version(tool, dir, env).await? else {
        return Err(format!("`{}` is not on the PATH; {} asks for {wanted}", tool.name, tool.version_file));
    };
    let fits = found.split(['.', '-', ' ']).zip(wanted.split('.')).all(|(found, wanted)| found == wanted);
    if fits { Ok(()) } else { Err(format!("`{}` is {found}; {} asks for {wanted}", tool.name, tool.version_file)) }
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

/// Reads a file of the workspace that must be a regular file of a sane size inside it; links are not followed.
pub fn read_file(dir: &Path, relative: &str) -> anyhow::Result<Vec<u8>> {
    const MOST: u64 = 64 * 1024 * 1024;
    let path = Path::new(relative);
    anyhow::ensure!(
        path.components().all(|part| matches!(part, std::path::Component::Normal(_) | std::path::Component::CurDir)),
        "`{relative}` leaves the workspace"
    );
    let full = dir.join(path);
    let about = std::fs::symlink_metadata(&full).with_context(|| format!("`{relative}` is not there"))?;
    anyhow::ensure!(about.is_file(), "`{relative}` is not a regular file");
    anyhow::ensure!(about.len() <= MOST, "`{relative}` has {} bytes, more than {MOST}", about.len());
    let inside = full.canonicalize()?.starts_with(dir.canonicalize()?);
    anyhow::ensure!(inside, "`{relative}` is behind a link that leaves the workspace");
    std::fs::read(&full).with_context(|| format!("cannot read `{relative}`"))
}
