//! The fence around the state folder: where the kernel has Landlock, nothing that citadel starts can write there.
//!
//! A Landlock domain binds the thread that enters it and whatever that thread starts. So one thread enters it, once, and
//! starts every process; citadel itself stays outside. Never silent: [`fence`] says why there is none.

#[cfg(target_os = "linux")]
mod domain;
#[cfg(not(target_os = "linux"))]
mod domain {
    use std::path::{Path, PathBuf};

    pub(super) fn enter(_: &Path, _: &[PathBuf]) -> Result<(), String> {
        Err("only Linux has Landlock".to_owned())
    }
}
mod starter;

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

pub(super) use starter::Later;
use starter::Starter;

/// What citadel is called with to enter the domain itself and become another program.
pub const LAUNCHER: &str = "--inside-the-fence";

/// Whether processes are kept out of the state folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fence {
    /// None that citadel starts can write, rename, link or remove anything there.
    Closed,
    /// They can, for this reason.
    Open(String),
}

impl Fence {
    /// Why the state folder is not kept apart, if it is not.
    pub fn gap(&self) -> Option<String> {
        match self {
            Self::Closed => None,
            Self::Open(why) => Some(format!("steps are not isolated from the state folder: {why}")),
        }
    }
}

/// What is closed, and what must stay open.
#[derive(Debug)]
struct Asked {
    folder: PathBuf,
    writable: Vec<PathBuf>,
    own: Option<PathBuf>,
}

static ASKED: OnceLock<Asked> = OnceLock::new();
static STARTER: OnceLock<Result<Starter, String>> = OnceLock::new();

/// From now on nothing that is started can write below `folder`, where the kernel can see to it. `writable` are folders
/// that commands cannot do without; `own` is citadel's own program. The first call counts: a domain cannot be left.
pub fn keep_out_of(folder: &Path, writable: &[PathBuf], own: Option<PathBuf>) {
    let writable = writable.iter().map(|path| real(path)).collect();
    let _ = ASKED.set(Asked { folder: real(folder), writable, own });
}

/// How it stands.
pub fn fence() -> Fence {
    match starter() {
        None => Fence::Open("nothing was asked to be closed".to_owned()),
        Some(Ok(_)) => Fence::Closed,
        Some(Err(why)) => Fence::Open(why.clone()),
    }
}

/// Does `start`, which starts a process, behind the fence if there is one.
pub(super) fn behind<T: Send + 'static>(start: impl FnOnce() -> T + Send + 'static) -> T {
    match starter() {
        Some(Ok(starter)) => starter.run(start),
        Some(Err(_)) | None => start(),
    }
}

/// Makes something that a start needs, by the thread that starts, if there is a fence.
pub(super) fn meanwhile<T: Send + 'static>(make: impl FnOnce() -> T + Send + 'static) -> Later<T> {
    match starter() {
        Some(Ok(starter)) => starter.meanwhile(make),
        Some(Err(_)) | None => Later::Here(Box::new(make)),
    }
}

/// The words that put a command behind the fence by themselves, for one that cannot be started behind it; none where there
/// is no fence.
pub(super) fn words() -> Result<Vec<String>, String> {
    let (Some(asked), Some(Ok(_))) = (ASKED.get(), starter()) else { return Ok(Vec::new()) };
    let own = asked.own.as_ref().ok_or("citadel cannot find its own program, which closes the state folder")?;
    let paths = [own].into_iter().chain([&asked.folder]).chain(&asked.writable);
    let mut words: Vec<String> = paths.map(|path| path.display().to_string()).collect();
    words.insert(1, LAUNCHER.to_owned());
    words.push("--".to_owned());
    Ok(words)
}

#[expect(clippy::disallowed_methods, reason = "this is the process room")]
/// Enters the domain and becomes the program behind `--`; returns only what went wrong.
pub fn launch(args: impl IntoIterator<Item = OsString>) -> String {
    let mut args = args.into_iter();
    let paths: Vec<PathBuf> = args.by_ref().take_while(|word| word != "--").map(PathBuf::from).collect();
    let (Some((folder, writable)), Some(program)) = (paths.split_first(), args.next()) else {
        return format!("`{LAUNCHER}` is citadel's own");
    };
    if let Err(why) = domain::enter(folder, writable) {
        return why;
    }
    std::process::Command::new(program).args(args).exec().to_string()
}

fn starter() -> Option<&'static Result<Starter, String>> {
    ASKED.get().map(|asked| STARTER.get_or_init(|| close(asked)))
}

fn close(asked: &Asked) -> Result<Starter, String> {
    if let Some(around) = asked.writable.iter().find(|path| asked.folder.starts_with(path)) {
        return Err(format!("it lies in `{}`, where commands must be able to write", around.display()));
    }
    let (folder, writable) = (asked.folder.clone(), asked.writable.clone());
    Starter::begin(move || domain::enter(&folder, &writable))
}

/// The path without links, as far as it exists.
fn real(path: &Path) -> PathBuf {
    let found = path.ancestors().find_map(|above| Some((above, above.canonicalize().ok()?)));
    match found {
        Some((above, real)) => match path.strip_prefix(above) {
            Ok(rest) if !rest.as_os_str().is_empty() => real.join(rest),
            _ => real,
        },
        None => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_real_as_far_as_it_exists() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        std::fs::create_dir(root.join("there")).unwrap();
        std::os::unix::fs::symlink("there", root.join("link")).unwrap();
        let check = |path: &str, expected: &str| assert_eq!(real(&root.join(path)), root.join(expected), "{path}");
        check("there", "there");
        check("link", "there");
        check("link/not/yet", "there/not/yet");
        check("not/yet", "not/yet");
    }

    #[test]
    fn what_must_be_writable_is_not_closed() {
        let asked =
            |folder: &str, writable: &str| Asked { folder: folder.into(), writable: vec![writable.into()], own: None };
        let why = close(&asked("/a/b/state", "/a/b")).err().unwrap();
        assert_eq!(why, "it lies in `/a/b`, where commands must be able to write");
        assert!(close(&asked("/a/b", "/a/b")).is_err());
    }
}
