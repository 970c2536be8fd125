//! The whole program in a real terminal: Ctrl-C, Ctrl-C again, Ctrl-Z, and what is left afterwards.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::process::Child;

use crate::alone;
use crate::pty::terminal;
use crate::step::{STUCK, fields, is_running, number, until};

const RUNBOOK: &str = r#"
format = 1
[runbook]
id = "terminal"
title = "Terminal"
reports = "reports/{{ network }}"
[workspace]
marker = "package.json"
[default]
grace = "GRACE"
[network.mainnet]
chain_id = 1
rpc = ["MAINNET_RPC_URL"]
[[phase]]
id = "1"
title = "Only"
[[phase.step]]
id = "first"
title = "Runs until it is stopped"
run = ["sh", "step.sh"]
[[phase.step]]
id = "second"
title = "Never runs"
run = ["sh", "-c", "echo ran >second"]
[phase.gate]
title = "Never judged"
[[phase.gate.check]]
id = "ready"
json = { file = "state.json", rules = [{ at = "$.ready", eq = true }] }
[[contingency]]
id = "call"
title = "Call them"
when = "nothing works"
[[contingency.step]]
id = "phone"
title = "Call"
manual = "call them"
"#;

/// citadel in a terminal of its own.
struct Terminal {
    folder: tempfile::TempDir,
    master: File,
    citadel: Child,
    shown: Arc<Mutex<Vec<u8>>>,
}

impl Terminal {
    fn start(step: &str, grace: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("package.json"), "{}").unwrap();
        fs::write(folder.path().join("runbook.toml"), RUNBOOK.replace("GRACE", grace)).unwrap();
        fs::write(folder.path().join("step.sh"), step).unwrap();
        let (master, slave) = terminal();
        let same = || Stdio::from(slave.try_clone().unwrap());
        // The shell is what a person's would be: it has the terminal, starts citadel, and waits for it.
        let script = "set -m; \"$@\"; echo \"code $?\"; read line; fg >/dev/null; echo \"code $?\"";
        let mut command = tokio::process::Command::new("setsid");
        command.args(["-c", "-w", "bash", "-c", script, "bash", env!("CARGO_BIN_EXE_citadel"), "run"]);
        command.args(["--network", "mainnet", "--yes", "--state", "state"]).current_dir(folder.path());
        command.env("MAINNET_RPC_URL", "https://rpc.example.org/v1/0123456789abcdef").env("TERM", "xterm");
        command.env_remove("CI").stdin(same()).stdout(same()).stderr(same()).kill_on_drop(true);
        let citadel = command.spawn().unwrap();
        let shown = Arc::new(Mutex::new(Vec::new()));
        listen(master.try_clone().unwrap(), Arc::clone(&shown));
        Self { folder, master, citadel, shown }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn press(&mut self, key: u8) {
        self.master.write_all(&[key]).unwrap();
    }

    fn types(&mut self, line: &str) {
        self.master.write_all(line.as_bytes()).unwrap();
        self.press(b'\n');
    }

    fn shown(&self) -> String {
        String::from_utf8_lossy(&self.shown.lock().unwrap()).into_owned()
    }

    async fn shows(&self, text: &str) {
        let wait = async {
            while !self.shown().contains(text) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        assert!(tokio::time::timeout(STUCK, wait).await.is_ok(), "never shows `{text}`:\n{}", self.shown());
    }

    async fn pid(&self, name: &str) -> u32 {
        until(|| fs::read(self.file(name)).is_ok_and(|pid| pid.ends_with(b"\n"))).await;
        // A quick command writes its pid before citadel has.
        until(|| self.events().iter().any(|event| event == "step_spawned")).await;
        number(&fs::read(self.file(name)).unwrap())
    }

    /// The types of the events in the journal, in order.
    fn events(&self) -> Vec<String> {
        let journal = find(&self.file("state")).expect("a journal");
        let text = fs::read_to_string(journal).unwrap();
        let kind = |line: &str| {
            let record: serde_json::Value = serde_json::from_str(line).unwrap();
            record["event"]["type"].as_str().unwrap().to_owned()
        };
        // The last line may be half written.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole.lines().map(kind).collect()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // citadel ends with its terminal.
        let _ = self.citadel.start_kill();
    }
}

fn listen(mut master: File, shown: Arc<Mutex<Vec<u8>>>) {
    std::thread::spawn(move || {
        let mut piece = [0; 4096];
        while let Ok(count @ 1..) = master.read(&mut piece) {
            shown.lock().unwrap().extend_from_slice(&piece[..count]);
        }
    });
}

fn find(folder: &Path) -> Option<PathBuf> {
    let entries: Vec<PathBuf> = fs::read_dir(folder).ok()?.map(|entry| entry.unwrap().path()).collect();
    let journal = entries.iter().find(|path| path.ends_with("journal.jsonl")).cloned();
    journal.or_else(|| entries.iter().filter(|path| path.is_dir()).find_map(|path| find(path)))
}

const CTRL_C: u8 = 3;
const CTRL_Z: u8 = 26;

#[tokio::test]
async fn one_interrupt_lets_the_step_end_by_itself() {
    let _alone = alone().await;
    let step = "trap 'echo int >>told; exit 0' INT; trap 'echo term >>told' TERM; echo $$ >pid; echo begun; \
                while :; do sleep 0.05; done";
    let mut terminal = Terminal::start(step, "1h");
    let pid = terminal.pid("pid").await;
    terminal.press(CTRL_C);
    terminal.shows("code 130").await;
    assert_eq!(fs::read_to_string(terminal.file("told")).unwrap(), "int\n");
    assert!(!is_running(pid) && !terminal.file("second").exists());
    let shown = terminal.shown();
    assert!(shown.contains("by SIGINT: nothing more is started") && !shown.contains("panicked"), "{shown}");
    let expected =
        ["run_opened", "step_started", "step_spawned", "interrupted", "step_ended", "run_ended"].map(str::to_owned);
    assert_eq!(terminal.events(), expected);
}

#[tokio::test]
async fn a_second_interrupt_kills_whatever_is_there() {
    let _alone = alone().await;
    let step = "trap '' TERM HUP; trap 'echo int >>told' INT; echo $$ >pid
        sh -c \"trap '' INT TERM HUP; echo \\$\\$ >grandchild; while :; do sleep 0.05; done\" &
        (setsid sh -c \"trap '' INT TERM HUP; echo \\$\\$ >daemon; while :; do sleep 0.05; done\" >/dev/null 2>&1 &)
        echo begun; while :; do sleep 0.05; done";
    let mut terminal = Terminal::start(step, "1h");
    let pids = [terminal.pid("pid").await, terminal.pid("grandchild").await, terminal.pid("daemon").await];
    terminal.press(CTRL_C);
    until(|| terminal.file("told").exists()).await;
    assert!(terminal.events().ends_with(&["interrupted".to_owned()]), "journalled before it is passed on");
    assert!(pids.iter().all(|pid| is_running(*pid)));
    terminal.press(CTRL_C);
    terminal.shows("code 130").await;
    assert!(pids.iter().all(|pid| !is_running(*pid)), "{pids:?}");
    assert_eq!(fs::read_to_string(terminal.file("told")).unwrap(), "int\n", "the signal came twice");
    assert!(!terminal.file("second").exists());
    let shown = terminal.shown();
    assert!(!shown.contains("panicked") && !shown.contains("1.second"), "{shown}");
    assert_eq!(terminal.events()[3..], ["interrupted", "step_ended", "run_ended"].map(str::to_owned));
}

#[tokio::test]
async fn a_suspended_citadel_goes_on_in_the_foreground() {
    let _alone = alone().await;
    let step = "trap 'exit 0' INT; echo $$ >pid; echo begun; while :; do sleep 0.05; done";
    let mut terminal = Terminal::start(step, "1h");
    let pid = terminal.pid("pid").await;
    terminal.press(CTRL_Z);
    // 128 and the number of STOP or TSTP: the shell has its terminal back.
    terminal.shows("code 14").await;
    // A shell whose child was stopped before its exec waits for that, and stops afterwards.
    let rests = || fields(pid).is_some_and(|fields| ["T", "D"].contains(&&*fields[0]));
    until(rests).await;
    terminal.press(b'\n');
    until(|| !rests()).await;
    terminal.press(CTRL_C);
    terminal.shows("code 130").await;
    assert!(!is_running(pid));
}

#[tokio::test]
async fn after_a_failure_a_contingency_can_be_run() {
    let _alone = alone().await;
    let mut terminal = Terminal::start("exit 3", "1h");
    terminal.shows("[c]ontingency").await;
    terminal.types("c");
    terminal.shows("1  call: Call them").await;
    terminal.types("");
    until(|| terminal.shown().matches("[c]ontingency").count() == 2).await;
    terminal.types("c");
    until(|| terminal.shown().matches("run which one").count() == 2).await;
    terminal.types("1");
    terminal.shows("CONTINGENCY call").await;
    terminal.shows("`call.phone` waits for a person").await;
    assert!(terminal.shown().contains("journal head"), "the run ended first");
    terminal.press(CTRL_C);
    terminal.shows("code 130").await;
    let network = terminal.file("state/terminal/mainnet");
    assert!(network.join("suspended.call").exists());
    assert!(terminal.file("second").exists().eq(&false));
}

#[tokio::test]
async fn a_lost_terminal_is_an_interrupt() {
    let _alone = alone().await;
    let step = "trap 'echo hup >>told; exit 0' HUP; echo $$ >pid; while :; do sleep 0.05; done";
    let terminal = Terminal::start(step, "1h");
    let pid = terminal.pid("pid").await;
    let (folder, events) = {
        let events = terminal.events();
        assert_eq!(events.last().unwrap(), "step_spawned");
        let Terminal { folder, master, citadel, .. } = &terminal;
        // The shell, which leads the session, ends: the kernel hangs the terminal up.
        let shell = citadel.id().unwrap();
        let _ = master;
        rustix::process::kill_process(rustix::process::Pid::from_raw(shell.try_into().unwrap()).unwrap(), KILL)
            .unwrap();
        (folder.path().to_owned(), events)
    };
    until(|| !is_running(pid)).await;
    assert_eq!(fs::read_to_string(folder.join("told")).unwrap(), "hup\n");
    until(|| terminal.events().len() == events.len() + 3).await;
    assert_eq!(terminal.events()[events.len()..], ["interrupted", "step_ended", "run_ended"].map(str::to_owned));
}

const KILL: rustix::process::Signal = rustix::process::Signal::KILL;
