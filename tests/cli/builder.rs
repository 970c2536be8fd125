//! A folder of its own to run citadel in, and what it answered.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, PipeWriter, Read as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use citadel::journal::{self, Entry};
use citadel::process::environment;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};

/// When a test is given up, so that it fails instead of hanging; nothing is measured by it.
const STUCK: Duration = Duration::from_mins(8);

/// A temporary folder, what is set in its shell, and citadel in it.
pub(crate) struct Test {
    folder: tempfile::TempDir,
    here: PathBuf,
    /// What `--state` says; nothing where citadel's own default is wanted.
    state: Option<PathBuf>,
    env: BTreeMap<String, String>,
}

/// How citadel ended and what it said.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    asked: String,
}

/// A citadel at work.
pub(crate) struct Running {
    child: Option<Child>,
    stderr: Option<BufReader<ChildStderr>>,
    /// What was read of stderr so far.
    seen: String,
    asked: String,
}

impl Test {
    /// An empty folder. Of the shell around the tests only what commands need is passed on.
    pub(crate) fn empty() -> Self {
        Self::within(&std::env::temp_dir())
    }

    /// The same beside all temporary folders, so that the state can be closed to steps; the repository itself may lie in
    /// one.
    pub(crate) fn apart() -> Self {
        let home = std::env::var_os("HOME").map(PathBuf::from);
        let places = [Some(PathBuf::from(env!("CARGO_TARGET_TMPDIR"))), home, Some("/var/lib".into())];
        let temporary = [std::env::temp_dir(), "/tmp".into(), "/var/tmp".into(), "/dev/shm".into()];
        let is_apart = |place: &PathBuf| !temporary.iter().any(|folder| place.starts_with(folder));
        let mut places = places.into_iter().flatten().filter(is_apart);
        let place = places.find(|place| tempfile::tempdir_in(place).is_ok());
        Self::within(&place.expect("a folder that can be written and is no temporary one"))
    }

    fn within(around: &Path) -> Self {
        let folder = tempfile::Builder::new().prefix("citadel-test-").tempdir_in(around).unwrap();
        let here = folder.path().join("here");
        std::fs::create_dir(&here).unwrap();
        let mut env = environment::base(&std::env::vars().collect(), &[]);
        env.remove("NO_COLOR");
        env.insert("USER".into(), "tester".into());
        let state = Some(folder.path().join("state"));
        Self { folder, here, state, env }
    }

    /// Where citadel is started.
    pub(crate) fn here(&self) -> &Path {
        &self.here
    }

    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.here.join(relative)
    }

    /// The folder around it, with the state folder in it.
    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// Leaves the state folder to citadel.
    pub(crate) fn default_state(mut self) -> Self {
        self.state = None;
        self
    }

    pub(crate) fn unset(mut self, name: &str) -> Self {
        self.env.remove(name);
        self
    }

    pub(crate) fn write(&self, relative: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(relative);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    pub(crate) fn read(&self, relative: &str) -> String {
        let path = self.path(relative);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Changes a file, which must have the text that is replaced.
    pub(crate) fn edit(&self, relative: &str, from: &str, to: &str) {
        let text = self.read(relative);
        assert!(text.contains(from), "`{relative}` has no `{from}`");
        self.write(relative, text.replacen(from, to, 1));
    }

    pub(crate) fn set(mut self, name: &str, value: &str) -> Self {
        self.env.insert(name.into(), value.into());
        self
    }

    /// The environment that its commands get.
    pub(crate) fn env(&self) -> &BTreeMap<String, String> {
        &self.env
    }

    /// Runs citadel with the words of `args`, and waits for it.
    pub(crate) fn citadel(&self, args: &str) -> Outcome {
        self.start(args).finish()
    }

    /// The same with arguments that may hold spaces.
    pub(crate) fn citadel_with(&self, args: &[&str]) -> Outcome {
        self.start_with(args).finish()
    }

    /// The same as somebody else.
    pub(crate) fn citadel_as(&self, who: &str, args: &[&str]) -> Outcome {
        Running::start(self.command(args).env("CITADEL_OPERATOR", who), &args.join(" ")).finish()
    }

    /// The same with a stdout that nobody reads any more.
    pub(crate) fn citadel_unread(&self, args: &str) -> Outcome {
        let (reader, stdout): (_, PipeWriter) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = self.command(&args.split_whitespace().collect::<Vec<_>>());
        let mut running = Running::start(command.stdout(stdout), args);
        drop(command);
        running.take()
    }

    /// Starts citadel and does not wait.
    pub(crate) fn start(&self, args: &str) -> Running {
        self.start_with(&args.split_whitespace().collect::<Vec<_>>())
    }

    /// The same with arguments that may hold spaces.
    pub(crate) fn start_with(&self, args: &[&str]) -> Running {
        Running::start(&mut self.command(args), &args.join(" "))
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_citadel"));
        command.current_dir(&self.here).env_clear().envs(&self.env);
        if let Some(state) = self.state.as_ref().filter(|_| !args.contains(&"--state")) {
            command.arg("--state").arg(state);
        }
        command.args(args);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        command
    }

    /// Runs another program here; it must succeed.
    pub(crate) fn sh(&self, script: &str) -> String {
        let mut command = Command::new("sh");
        command.args(["-c", script]).current_dir(&self.here).env_clear().envs(&self.env).stdin(Stdio::null());
        let output = command.output().unwrap();
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{script}: {}\n{text}", output.status);
        text
    }

    /// The folders of the runs of `runbook` on `network`, oldest first.
    pub(crate) fn runs(&self, runbook: &str, network: &str) -> Vec<PathBuf> {
        let home = citadel::journal::Home::new(&self.state(), runbook, network);
        home.runs().unwrap().iter().map(|run| home.run(run).path().to_owned()).collect()
    }

    /// The journal of the latest run; reading it checks all of it.
    pub(crate) fn journal(&self, runbook: &str, network: &str) -> Vec<Entry> {
        let run = self.runs(runbook, network).pop().expect("there is a run");
        journal::read(&run.join("journal.jsonl")).unwrap().entries
    }

    /// Processes that stand in this folder.
    pub(crate) fn processes(&self) -> Vec<String> {
        let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        let here = |entry: &std::fs::DirEntry| {
            std::fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd.starts_with(self.root()))
        };
        let named = |entry: std::fs::DirEntry| {
            let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            format!("{} {}", entry.file_name().display(), String::from_utf8_lossy(&line).replace('\0', " "))
        };
        entries.filter(here).map(named).collect()
    }
}

impl Running {
    fn start(command: &mut Command, asked: &str) -> Self {
        let mut child = command.spawn().unwrap();
        let stderr = child.stderr.take().map(BufReader::new);
        Self { child: Some(child), stderr, seen: String::new(), asked: asked.to_owned() }
    }

    /// Waits until citadel has said `text`.
    pub(crate) fn until(&mut self, text: &str) {
        let mut from = self.seen.len();
        while !self.seen[from..].contains(text) {
            from = self.seen.len();
            let read = self.stderr.as_mut().unwrap().read_line(&mut self.seen).unwrap();
            assert!(read > 0, "citadel ended without saying `{text}`\n{}", self.seen);
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.as_ref().map_or(0, Child::id)
    }

    /// Sends a signal to citadel alone, as `kill` does.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(pid(self.pid()), signal).unwrap();
    }

    pub(crate) fn finish(mut self) -> Outcome {
        self.take()
    }

    fn take(&mut self) -> Outcome {
        let (child, asked) = (self.child.take().unwrap(), self.asked.clone());
        let group = pid(child.id());
        let (send, receive) = mpsc::channel();
        let (mut stderr, mut said) = (self.stderr.take().unwrap(), std::mem::take(&mut self.seen).into_bytes());
        let reader = std::thread::spawn(move || stderr.read_to_end(&mut said).map(|_| said));
        std::thread::spawn(move || send.send(child.wait_with_output()));
        let Ok(output) = receive.recv_timeout(STUCK) else {
            let _ = kill_process_group(group, Signal::KILL);
            panic!("`citadel {asked}` hangs");
        };
        let (output, said) = (output.unwrap(), reader.join().unwrap().unwrap());
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("citadel writes UTF-8");
        let (stdout, stderr) = (text(output.stdout), text(said));
        let code = output.status.code().unwrap_or(-1);
        let outcome = Outcome { code, stdout, stderr, asked };
        assert!(!outcome.stderr.contains("panicked at"), "{outcome:#?}");
        outcome
    }
}

/// A test that fails leaves no citadel behind.
impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // Asked to end, it ends its steps and its chain as well.
            let _ = kill_process(pid(child.id()), Signal::TERM);
            let _ = child.wait();
        }
    }
}

impl Outcome {
    /// It ended with `code`.
    #[track_caller]
    pub(crate) fn code(self, code: i32) -> Self {
        assert!(self.code == code, "exit {}, not {code}\n{}", self.code, self.told());
        self
    }

    /// It said `text`, wherever lines were broken.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.flat().contains(&flat(text)), "never says `{text}`\n{}", self.told());
        self
    }

    /// It never said `text`.
    #[track_caller]
    pub(crate) fn never_says(self, text: &str) -> Self {
        assert!(!self.flat().contains(&flat(text)), "says `{text}`\n{}", self.told());
        self
    }

    /// Everything it said, with single spaces.
    pub(crate) fn flat(&self) -> String {
        flat(&format!("{} {}", self.stdout, self.stderr))
    }

    fn told(&self) -> String {
        format!("citadel {}\n--- stdout\n{}\n--- stderr\n{}", self.asked, self.stdout, self.stderr)
    }
}

fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn pid(id: u32) -> Pid {
    Pid::from_raw(i32::try_from(id).unwrap()).unwrap()
}
