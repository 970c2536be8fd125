//! Finds a program as `execvp` would, without starting anything.

use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

/// The file that a program name means on a PATH; a name with a slash is taken from `dir`, as are relative entries.
pub fn which(program: &str, path: &str, dir: &Path) -> Option<PathBuf> {
    if program.is_empty() {
        return None;
    }
    if program.contains('/') {
        return Some(dir.join(program)).filter(|file| is_program(file));
    }
    // An empty entry would mean the working folder: a program is never taken from there by accident.
    let folders = path.split(':').filter(|entry| !entry.is_empty());
    folders
        .map(|folder| {
            let mut file = dir.join(folder);
            file.push(program);
            file
        })
        .find(|file| is_program(file))
}

/// Whether this is a file that can be executed.
pub fn is_program(file: &Path) -> bool {
    file.is_file() && access(file, Access::EXEC_OK).is_ok()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn write(file: &Path, mode: u32) {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, "").unwrap();
        fs::set_permissions(file, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn finds_as_execvp_does() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        write(&root.join("a/tool"), 0o644);
        write(&root.join("b/tool"), 0o755);
        write(&root.join("tool"), 0o755);
        fs::create_dir_all(root.join("a/folder")).unwrap();
        let path = format!(":{0}/a:{0}/b:{0}", root.display());
        let check = |program: &str, path: &str, expected: Option<&str>| {
            assert_eq!(which(program, path, root), expected.map(|file| root.join(file)), "{program} on {path}");
        };
        check("tool", &path, Some("b/tool"));
        check("tool", "a:b", Some("b/tool"));
        check("tool", "", None);
        check("tool", ":", None);
        check("folder", &path, None);
        check("./tool", "", Some("./tool"));
        check("a/tool", &path, None);
        check("missing", &path, None);
        check("", &path, None);
    }
}
