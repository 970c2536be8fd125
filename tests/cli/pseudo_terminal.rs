//! citadel in a terminal of its own, and every byte that it shows there.

use std::io::Read as _;
use std::process::{Command, Stdio};

use rustix::termios::{Winsize, tcsetwinsize};

use super::builder::Test;
use super::pty::terminal;

/// How it ended, and what the terminal was sent.
pub(crate) fn shown(test: &Test, args: &[&str]) -> (i32, Vec<u8>) {
    let (mut master, slave) = terminal();
    tcsetwinsize(&master, Winsize { ws_row: 50, ws_col: 160, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
    let same = || Stdio::from(slave.try_clone().unwrap());
    let mut command = Command::new(env!("CARGO_BIN_EXE_citadel"));
    command.current_dir(test.here()).env_clear().envs(test.env()).env("TERM", "xterm").env_remove("CI");
    command.arg("--state").arg(test.state()).args(args);
    // Nobody is there to be asked anything.
    command.stdin(Stdio::null()).stdout(same()).stderr(same());
    let mut child = command.spawn().unwrap();
    drop((slave, command));
    let mut bytes = Vec::new();
    // A terminal that everybody left answers with an error instead of an end.
    let _ = master.read_to_end(&mut bytes);
    (child.wait().unwrap().code().unwrap_or(-1), bytes)
}
