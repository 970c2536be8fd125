//! A folder with a runbook of one gate, in which citadel itself judges scripted endpoints.

use std::process::Stdio;

use citadel::runbook::Network;
use serde_json::Value;

use crate::told::CONTRACT;

/// A runbook and the variables that hold its endpoints' URLs.
pub(crate) struct Site {
    folder: tempfile::TempDir,
    variables: Vec<(String, String)>,
}

/// How citadel ended, and both its streams.
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) said: String,
}

impl Site {
    pub(crate) fn new(network: &Network, (signature, value): (&str, Value), urls: &[String]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let variables: Vec<(String, String)> = network.rpc.iter().cloned().zip(urls.iter().cloned()).collect();
        let rpc: Vec<String> = network.rpc.iter().map(|name| format!("\"{name}\"")).collect();
        let age = network.max_block_age.map(|age| format!("max_block_age = \"{}s\"\n", age.as_secs()));
        let genesis = network.genesis.map(|hash| format!("genesis = \"{hash:?}\"\n"));
        let address = citadel::chain::checksum(CONTRACT.parse().unwrap());
        let runbook = format!(
            "format = 1\n[runbook]\nid = \"site\"\ntitle = \"Site\"\nreports = \"reports\"\n\
             [workspace]\nmarker = \"runbook.toml\"\n\
             [network.net]\nchain_id = {}\nrpc = [{}]\nagree = {}\nblock = \"latest\"\n{}{}\
             [contract.system]\nkind = \"plain\"\naddress = {{ net = \"{address}\" }}\n\
             [[phase]]\nid = \"1\"\ntitle = \"One\"\n\
             [[phase.step]]\nid = \"look\"\ntitle = \"Look\"\nshell = \"true\"\neffects = \"none\"\n\
             [phase.gate]\ntitle = \"Gate\"\n[[phase.gate.check]]\nid = \"it\"\n\
             call = {{ of = \"system\", function = \"{signature}\", eq = {value} }}\n",
            network.chain_id,
            rpc.join(", "),
            network.agree,
            age.unwrap_or_default(),
            genesis.unwrap_or_default(),
        );
        std::fs::write(folder.path().join("runbook.toml"), runbook).unwrap();
        Self { folder, variables }
    }

    /// Sets a variable that holds no endpoint.
    pub(crate) fn set(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// `citadel gate verify`.
    pub(crate) async fn verify(&self, format: &str) -> Ended {
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_citadel"));
        command.args(["gate", "verify", "--network", "net", "--format", format, "--state"]);
        command.arg(self.folder.path().join("state")).current_dir(self.folder.path()).env_clear();
        command.env("PATH", "/usr/bin:/bin").env("HOME", self.folder.path()).envs(self.variables.iter().cloned());
        let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await.unwrap();
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8(said).expect("citadel writes UTF-8");
        Ended { code: output.status.code().unwrap_or(-1), said }
    }
}
