//! The programs that citadel itself uses: found once, on the PATH that it was started with and outside of the workspace,
//! before a step could put another of the same name in the way. Starts none.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use crate::event::Program;
use crate::hashed::sha256_in;
use crate::process::which::which;

/// What citadel starts by itself or tells people to use for it.
pub const USED: [&str; 3] = ["git", "npm", "ssh-keygen"];

/// Where they are.
#[derive(Debug, Clone, Default)]
pub struct Programs {
    found: BTreeMap<String, PathBuf>,
}

impl Programs {
    /// Looks for them on `path`; folders of the workspace, where steps write, do not count.
    pub fn find(path: &str, workspace: &Path) -> Self {
        let path = outside(path, workspace);
        let find = |name: &str| {
            let file = which(name, &path, Path::new("/"))?;
            // A link into the workspace is no better than a folder of it.
            (!is_inside(&file, workspace)).then(|| (name.to_owned(), file))
        };
        Self { found: USED.into_iter().filter_map(find).collect() }
    }

    /// Where a program is, absolute.
    pub fn get(&self, name: &str) -> Option<&Path> {
        self.found.get(name).map(PathBuf::as_path)
    }

    /// Each with what it holds now.
    pub fn hashed(&self) -> BTreeMap<String, Program> {
        let hashed = |(name, file): (&String, &PathBuf)| {
            let sha256 = sha256_in(File::open(file).ok()?).ok()?;
            Some((name.clone(), Program { path: file.display().to_string(), sha256 }))
        };
        self.found.iter().filter_map(hashed).collect()
    }
}

/// A PATH without the folders of the workspace.
pub fn outside(path: &str, workspace: &Path) -> String {
    path.split(':').filter(|folder| !is_inside(Path::new(folder), workspace)).collect::<Vec<_>>().join(":")
}

fn is_inside(path: &Path, workspace: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    path.starts_with(workspace) || real(path).starts_with(real(workspace))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;
    use crate::digest::sha256;

    #[test]
    fn the_workspace_cannot_shadow_them() {
        let root = tempfile::tempdir().unwrap();
        let at = |path: &str| root.path().join(path);
        for folder in ["ws/node_modules/.bin", "usr/bin", "linked"] {
            std::fs::create_dir_all(at(folder)).unwrap();
        }
        for program in ["ws/node_modules/.bin/git", "usr/bin/git", "ws/npm"] {
            std::fs::write(at(program), program).unwrap();
            std::fs::set_permissions(at(program), std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        symlink(at("ws/npm"), at("linked/npm")).unwrap();
        symlink(at("ws/node_modules/.bin"), at("alias")).unwrap();
        let path = ["ws/node_modules/.bin", "alias", "linked", "usr/bin"].map(|path| at(path).display().to_string());
        let programs = Programs::find(&path.join(":"), &at("ws"));
        assert_eq!(programs.get("git"), Some(at("usr/bin/git").as_path()));
        assert_eq!(programs.get("npm"), None, "a link into the workspace");
        assert_eq!(programs.hashed()["git"].sha256, sha256(b"usr/bin/git"));
        assert_eq!(programs.hashed().len(), 1);
    }
}
