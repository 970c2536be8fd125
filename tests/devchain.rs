//! The local chain, with the real Anvil: `$ANVIL`, the PATH, or as npm fetches it.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::Duration;

use citadel::devchain::{Deployment, Record, Request, Running, end_kept, end_survivors, find_kept, setup, start};
use citadel::error::{ExitCode, Failure};
use citadel::process::{Started, Stop, Watcher, environment, is_alive};
use citadel::runbook::{BlockTag, DevChain, Network, Place};
use citadel::secrets::Mask;
use ethers::utils::to_checksum;
use tokio::sync::watch;

const SYSTEM_PAUSE: &str = "0x5FbDB2315678afecb367f032d93F642f64180aa3";

const MAKEFILE: &str = r#"setup:
	@echo "deploying to $$ANVIL_RPC_URL"
	@echo '{"network":"anvil","chainId":31337,"contracts":{"SystemPause":"0x5FbDB2315678afecb367f032d93F642f64180aa3"}}' > out.json
broken:
	@echo '{"network":"anvil","chainId":1,"contracts":{}}' > out.json
idle:
	@:
failing:
	@echo no compiler; exit 3
"#;

/// A runbook's folder with a workspace in it.
struct Site {
    folder: tempfile::TempDir,
    network: Network,
    env: BTreeMap<String, String>,
    anvil: Option<String>,
    stop: watch::Sender<Stop>,
}

struct Quiet;

impl Watcher for Quiet {
    fn started(&mut self, _: &Started) -> anyhow::Result<()> {
        Ok(())
    }

    fn line(&mut self, _: &str) {}
}

impl Site {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["workspace", "logs", "state"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        fs::write(folder.path().join("workspace/Makefile"), MAKEFILE).unwrap();
        let dev_chain = DevChain {
            program: "anvil".to_owned(),
            version: "1.7.1".to_owned(),
            dir: "workspace".to_owned(),
            setup: "setup".to_owned(),
            sign: None,
            deployment: "out.json".to_owned(),
        };
        let network = Network {
            name: "local".to_owned(),
            chain_id: 31337,
            genesis: None,
            passed_as: "anvil".to_owned(),
            rpc: vec!["ANVIL_RPC_URL".to_owned()],
            agree: 1,
            key: vec![],
            accounts: vec![],
            block: BlockTag::Latest,
            max_block_age: None,
            settle: Duration::ZERO,
            confirm: false,
            operators: vec![],
            dev_chain: Some(dev_chain),
            place: Place::default(),
        };
        let anvil = std::env::vars().find(|(name, _)| name == "ANVIL").map(|(_, value)| value);
        let env = environment::base(&std::env::vars().collect(), &[]);
        Self { folder, network, env, anvil, stop: watch::channel(Stop::No).0 }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn target(mut self, name: &str) -> Self {
        name.clone_into(&mut self.network.dev_chain.as_mut().unwrap().setup);
        self
    }

    /// Stands in for Anvil.
    fn script(mut self, text: &str) -> Self {
        let file = self.path("stub");
        fs::write(&file, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        self.anvil = Some(file.display().to_string());
        self
    }

    async fn with<T>(&self, action: impl AsyncFnOnce(Request<'_>) -> T) -> T {
        let (logs, state) = (self.path("logs"), self.path("state"));
        let (network, folder, env) = (&self.network, self.folder.path(), &self.env);
        action(Request { network, folder, env, anvil: self.anvil.as_deref(), logs: &logs, state: &state }).await
    }

    async fn start(&self) -> Result<Running, Failure> {
        self.with(async |request| start(&request, self.stop.subscribe()).await).await
    }

    async fn setup(&self, url: &str) -> Result<Deployment, Failure> {
        self.with(async |request| setup(&request, url, &Mask::none(), self.stop.subscribe(), &mut Quiet).await).await
    }

    async fn refused(&self) -> Failure {
        self.start().await.map(drop).unwrap_err()
    }

    fn records(&self) -> Vec<PathBuf> {
        fs::read_dir(self.path("state")).unwrap().map(|entry| entry.unwrap().path()).collect()
    }
}

/// A test that fails leaves no chain behind.
impl Drop for Site {
    fn drop(&mut self) {
        let records = self.records().into_iter().filter_map(|file| fs::read(file).ok());
        for record in records.filter_map(|bytes| serde_json::from_slice::<Record>(&bytes).ok()) {
            let pid = i32::try_from(record.process.group).ok().and_then(rustix::process::Pid::from_raw);
            if let Some(group) = pid.filter(|_| is_alive(&record.process)) {
                let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
            }
        }
    }
}

/// Waits until something holds, however long that takes; a test that is stuck fails.
async fn until(holds: impl Fn() -> bool) {
    let wait = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(2), wait).await.expect("it hangs");
}

#[tokio::test]
async fn up_set_up_kept_found_and_ended() {
    let site = Site::new();
    let running = site.start().await.unwrap();
    assert!(running.url.starts_with("http://127.0.0.1:") && running.port != 8545);
    assert!(running.client.starts_with("anvil/"), "{}", running.client);
    assert_eq!(site.records().len(), 1);
    let (url, process) = (running.url.clone(), running.process.clone());

    let deployment = site.setup(&url).await.unwrap();
    assert_eq!(to_checksum(&deployment.contracts["SystemPause"], None), SYSTEM_PAUSE);
    let log = fs::read_to_string(site.path("logs/devchain-setup.log")).unwrap();
    assert!(log.contains(&format!("deploying to {url}\n")), "{log}");

    let state = site.path("state");
    assert!(find_kept(&state).await.is_none());
    let kept = running.keep("2026-11-22T10:00:00Z".to_owned(), "astral".to_owned(), deployment.clone()).unwrap();
    assert_eq!(site.records(), [state.join("devchain.json")]);
    assert!(is_alive(&process));
    assert_eq!(end_survivors(&state).await.unwrap(), [""; 0]);
    let found = find_kept(&state).await.unwrap();
    assert_eq!((found.record, found.deployment), (kept.record.clone(), deployment));

    a_second_chain_is_not_kept_over_it(&site, &kept.deployment).await;
    another_process_with_this_pid_is_left_alone(&state.join("devchain.json"), &kept.record).await;

    assert!(end_kept(&state).await.unwrap());
    assert!(!is_alive(&process));
    assert!(find_kept(&state).await.is_none());
    assert!(!end_kept(&state).await.unwrap());
    assert_eq!(site.records(), [""; 0].map(PathBuf::from));
}

async fn a_second_chain_is_not_kept_over_it(site: &Site, deployment: &Deployment) {
    let second = site.start().await.unwrap();
    let process = second.process.clone();
    let error = second.keep(String::new(), String::new(), deployment.clone()).unwrap_err();
    assert!(error.to_string().starts_with("a dev chain is already kept at http://127.0.0.1:"));
    until(|| !is_alive(&process)).await;
}

async fn another_process_with_this_pid_is_left_alone(file: &std::path::Path, record: &Record) {
    let state = file.parent().unwrap();
    let mut other = record.clone();
    other.process.start_time += 1;
    fs::write(file, serde_json::to_vec(&other).unwrap()).unwrap();
    assert!(find_kept(state).await.is_none());
    assert!(!end_kept(state).await.unwrap());
    assert!(is_alive(&record.process), "a process that was not started by citadel was ended");
    fs::write(file, serde_json::to_vec(record).unwrap()).unwrap();
}

#[tokio::test]
async fn a_dropped_chain_ends() {
    let site = Site::new();
    let running = site.start().await.unwrap();
    let process = running.process.clone();
    drop(running);
    until(|| !is_alive(&process)).await;
    assert!(site.records().is_empty());
    let running = site.start().await.unwrap();
    let process = running.process.clone();
    running.end().await.unwrap();
    assert!(!is_alive(&process) && site.records().is_empty());
}

#[tokio::test]
async fn what_a_killed_citadel_left_is_ended() {
    let site = Site::new();
    let running = site.start().await.unwrap();
    let (state, process) = (site.path("state"), running.process.clone());
    assert_eq!(end_survivors(&state).await.unwrap(), [""; 0], "its citadel is alive");
    let file = site.records().pop().unwrap();
    let mut record: Record = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    record.owner.as_mut().unwrap().start_time += 1;
    fs::write(&file, serde_json::to_vec(&record).unwrap()).unwrap();
    let expected = format!("the dev chain at {} (pid {})", running.url, process.pid);
    assert_eq!(end_survivors(&state).await.unwrap(), [expected]);
    assert!(!is_alive(&process) && site.records().is_empty());
    assert_eq!(end_survivors(&state).await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn a_chain_that_is_not_the_declared_one_is_refused() {
    let real = Site::new();
    let running = real.start().await.unwrap();
    let mut site = Site::new().script(&format!("echo Listening on 127.0.0.1:{}; exec sleep 1000", running.port));
    site.network.chain_id = 1;
    let failure = site.refused().await;
    assert_eq!(failure.to_string(), "the dev chain answers as chain 31337, not 1");
    assert_eq!(failure.code, ExitCode::Precondition);
    assert!(site.records().is_empty());
}

#[tokio::test]
async fn a_chain_that_does_not_come_up_is_told() {
    let failure = Site::new().script("echo first; echo 'error: no such option' >&2; exit 2").refused().await;
    let expected = "the dev chain ended before it answered (exit status: 2): first | error: no such option";
    assert_eq!((failure.code, failure.to_string()), (ExitCode::Precondition, expected.to_owned()));
    assert!(failure.hint.unwrap().contains("devchain.log"));
}

#[tokio::test]
async fn an_interrupt_ends_a_chain_that_is_coming_up() {
    let site = Site::new().script("exec sleep 1000");
    let interrupt = async {
        until(|| !site.records().is_empty()).await;
        site.stop.send(Stop::Graceful(2)).unwrap();
        let file = site.records().pop().unwrap();
        serde_json::from_slice::<Record>(&fs::read(file).unwrap()).unwrap().process
    };
    let (failure, process) = tokio::join!(site.refused(), interrupt);
    assert_eq!(failure.code, ExitCode::Interrupted);
    until(|| !is_alive(&process)).await;
}

#[tokio::test]
async fn what_cannot_be_started_says_what_to_do() {
    let mut site = Site::new();
    site.anvil = Some("/no/such/anvil".to_owned());
    let failure = site.refused().await;
    assert_eq!(failure.to_string(), "`$ANVIL` is `/no/such/anvil`, which is not an executable file");
    site.anvil = None;
    site.env.insert("PATH".to_owned(), "/no/such/folder".to_owned());
    assert_eq!(site.refused().await.to_string(), "neither `anvil` nor `npm` is on the PATH");
    site.network.dev_chain.as_mut().unwrap().program = "ganache".to_owned();
    assert_eq!(site.refused().await.to_string(), "`ganache` is not a dev chain that citadel can start");
    site.network.dev_chain = None;
    assert_eq!(site.refused().await.to_string(), "network `local` declares no dev chain");
}

#[tokio::test]
async fn a_setup_that_fails_is_told() {
    let check = async |target: &str, code: ExitCode, expected: &str| {
        let site = Site::new().target(target);
        // An earlier chain's deployment must never be taken for this one's.
        let old = format!(r#"{{"network":"anvil","chainId":31337,"contracts":{{"A":"{SYSTEM_PAUSE}"}}}}"#);
        fs::write(site.path("workspace/out.json"), old).unwrap();
        let failure = site.setup("http://127.0.0.1:1").await.unwrap_err();
        let text = failure.to_string().replace(&site.folder.path().display().to_string(), "FOLDER");
        assert_eq!((failure.code, text.as_str()), (code, expected));
    };
    let unusable = "the deployment file `FOLDER/workspace/out.json` cannot be used:";
    let no_file = format!("{unusable} No such file or directory (os error 2)");
    check("idle", ExitCode::Precondition, &no_file).await;
    let bad = format!("{unusable} `chainId` is 1, not 31337; `contracts` is empty");
    check("broken", ExitCode::Precondition, &bad).await;
    let site = Site::new().target("failing");
    let failure = site.setup("http://127.0.0.1:1").await.unwrap_err();
    assert!(
        failure.to_string().starts_with("the dev chain could not be set up: `make -C workspace failing` exited with 2")
    );
}
