//! The Landlock domain: everything may be written as before, except what is below one folder.
//!
//! Landlock knows only what is allowed, for a folder with all below it. So all that lies beside the way to the closed
//! folder is allowed, and the folders on the way themselves are not: nothing new can be put directly into them.

use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use landlock::{
    ABI, AccessFs, BitFlags, CompatLevel, Compatible, PathBeneath, Ruleset, RulesetAttr, RulesetCreated,
    RulesetCreatedAttr, Scope,
};
use rustix::fs::{CWD, FileType, Mode, OFlags, fstat, openat};

/// The first that can refuse to truncate a file: Linux 6.2.
const NEEDED: ABI = ABI::V3;

/// Binds the calling thread and all that it starts from now on; `Err` says why it cannot be bound.
pub(super) fn enter(closed: &Path, writable: &[PathBuf]) -> Result<(), String> {
    let refused = |why: &dyn std::fmt::Display| format!("the kernel has no Landlock as new as Linux 6.2 ({why})");
    let ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_write(NEEDED))
        .map_err(|why| refused(&why))?;
    // From Linux 6.12 on, signals stay inside too.
    let ruleset = ruleset.set_compatibility(CompatLevel::BestEffort).scope(Scope::Signal);
    let mut rules = ruleset.and_then(Ruleset::create).map_err(|why| refused(&why))?;
    for path in writable {
        rules = allow(rules, open(CWD, path.as_os_str()))?;
    }
    rules = beside(rules, closed)?;
    rules.restrict_self().map_err(|why| refused(&why))?;
    Ok(())
}

/// Allows everything that is not on the way to `closed`.
fn beside(mut rules: RulesetCreated, closed: &Path) -> Result<RulesetCreated, String> {
    let mut at = PathBuf::from("/");
    for next in closed.components().skip(1) {
        let Some(folder) = open(CWD, at.as_os_str()) else { break };
        // What cannot be listed is not allowed either, unless it was asked for.
        for entry in std::fs::read_dir(&at).into_iter().flatten().flatten() {
            if entry.file_name() != next.as_os_str() {
                rules = allow(rules, open(&folder, &entry.file_name()))?;
            }
        }
        at.push(next);
    }
    Ok(rules)
}

/// Never through a link: it could lead into what is closed, and what it leads to is allowed by its own place.
fn open(folder: impl AsFd, name: &OsStr) -> Option<OwnedFd> {
    openat(folder, name, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty()).ok()
}

fn allow(rules: RulesetCreated, file: Option<OwnedFd>) -> Result<RulesetCreated, String> {
    let Some((file, kind)) = file.and_then(|file| {
        let kind = FileType::from_raw_mode(fstat(&file).ok()?.st_mode);
        Some((file, kind))
    }) else {
        return Ok(rules);
    };
    let access: BitFlags<AccessFs> = match kind {
        FileType::Symlink => return Ok(rules),
        FileType::Directory => AccessFs::from_write(NEEDED),
        _ => AccessFs::from_write(NEEDED) & AccessFs::from_file(NEEDED),
    };
    rules.add_rule(PathBeneath::new(file, access)).map_err(|why| format!("Landlock takes no rule: {why}"))
}
