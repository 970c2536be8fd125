//! `pkill` and `killall` for steps: first on their PATH, they reach nothing outside the caller's own process group.
//!
//! Commands written for a developer's machine end "every anvil" or "every node"; here that would be citadel's dev
//! chain, or another person's work. A step that calls `/usr/bin/pkill` by its full path is not stopped by this.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::Context as _;

use super::which::which;

/// How every shim begins.
const MARK: &str = "#!/bin/sh\n# Ends only processes of the caller's own process group.\n";

/// `-g` would choose another group: the real pkill takes the last one it is given.
const PKILL: &str = r#"for word in "$@"; do
  case "$word" in
    -g* | --pg* | -[!-]*g*)
      echo "pkill: \`$word\` chooses a process group, which a step may not" >&2
      exit 2
      ;;
  esac
done
exec REAL -g 0 "$@"
"#;

/// killall has no way to name a group: each name becomes a pkill of exactly that name.
const KILLALL: &str = r#"signal=TERM
while [ $# -gt 0 ]; do
  case "$1" in
    --) shift; break ;;
    -s | --signal) signal=$2; shift 2 ;;
    -e | --exact | -q | --quiet | -v | --verbose | -w | --wait) shift ;;
    -[A-Z0-9]*) signal=${1#-}; shift ;;
    -*) echo "killall: a step may not use \`$1\`" >&2; exit 2 ;;
    *) break ;;
  esac
done
[ $# -gt 0 ] || { echo "killall: no name was given" >&2; exit 2; }
status=1
for name in "$@"; do
  REAL "-$signal" -g 0 -x -- "$(printf %.15s "$name")" && status=0
done
exit $status
"#;

/// Where there is no pkill, nothing is ended.
const NOTHING: &str = "echo \"${0##*/}: there is no pkill on this machine\" >&2\nexit 127\n";

/// Writes the shims into a folder, which is made; `path` is the PATH on which the real pkill is found.
pub fn write(folder: &Path, path: &str) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
    let real = real_pkill(folder, path);
    for (name, script) in [("pkill", PKILL), ("killall", KILLALL)] {
        let script = real.as_ref().map_or(NOTHING.to_owned(), |real| script.replace("REAL", real));
        let file = folder.join(name);
        fs::write(&file, format!("{MARK}{script}")).with_context(|| format!("cannot write `{}`", file.display()))?;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755))
            .with_context(|| format!("cannot make `{}` executable", file.display()))?;
    }
    Ok(())
}

/// The real one, quoted for sh; never a shim, of this folder or of a citadel around this one.
fn real_pkill(folder: &Path, path: &str) -> Option<String> {
    let mut files = path.split(':').filter_map(|entry| which("pkill", entry, folder));
    let real = files.find(|file| !fs::read(file).is_ok_and(|bytes| bytes.starts_with(MARK.as_bytes())))?;
    Some(format!("'{}'", real.to_str()?.replace('\'', r"'\''")))
}
