//! The real dotenv and the real hardhat inside a step: what the step was not granted stays out, though it stands in `.env`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::builder::Test;
use super::stub::{phase, step, stub_in};

const KEY: &str = "0x7d1f0a93c45be86237ab94d05ef1c68a2b3970de41f5862c9ab7e03d18c4f56a";
const URL: &str = "https://rpc.test.invalid/v2/Kw93hLxP0sBk71TbVyQz";

/// A configuration as people write it, with a task that tells what it got.
const CONFIG: &str = r"
require('dotenv').config();
const { task } = require('hardhat/config');
task('tell', async (_, hre) => {
  const { url, accounts } = hre.config.networks.mainnet;
  console.log(`hardhat has ${accounts.length} accounts and ${url.includes('/v2/') ? 'the' : 'no'} endpoint`);
  for (const name of ['TEST_PRIVATE_KEY', 'TEST_RPC_URL', 'DEPLOYER_MNEMONIC', 'NAMESPACE']) {
    console.log(`${name} has ${(process.env[name] || '').length} characters`);
  }
});
const { TEST_RPC_URL: url, TEST_PRIVATE_KEY: key } = process.env;
module.exports = {
  solidity: '0.8.24',
  networks: { mainnet: { url: url || 'http://127.0.0.1:1', accounts: key ? [key] : [] } },
};
";

#[test]
fn dotenv_and_hardhat_load_nothing_that_was_not_granted() {
    let run = "node_modules/.bin/hardhat tell";
    let steps = step("nothing", run, "")
        + &step("endpoint", run, "needs = [\"rpc\"]")
        + &step("both", run, "needs = [\"rpc\", \"key\"]");
    let test = stub_in(Test::empty(), &phase("1", &steps)).unset("TEST_RPC_URL");
    test.edit("runbook.toml", "rpc = [\"TEST_RPC_URL\"]", "rpc = [\"TEST_RPC_URL\"]\nkey = [\"TEST_PRIVATE_KEY\"]");
    test.write("package.json", "{ \"private\": true }");
    test.sh("npm install --no-audit --no-fund --ignore-scripts dotenv@17.4.1 hardhat@2.28.6 >/dev/null");
    test.write("hardhat.config.js", CONFIG);
    let mnemonic = "usage tower acid lunar obey fabric ribbon velvet marble comet ladder spoon";
    let dotenv = test.write(
        ".env",
        format!("TEST_RPC_URL={URL}\nTEST_PRIVATE_KEY={KEY}\nDEPLOYER_MNEMONIC=\"{mnemonic}\"\nNAMESPACE=aurora\n"),
    );
    fs::set_permissions(dotenv, fs::Permissions::from_mode(0o600)).unwrap();
    test.citadel("run --network test --yes").code(0);
    let log = |step: &str| {
        let run = test.runs("stub", "test").pop().unwrap();
        let log = fs::read_to_string(run.join(format!("logs/1.{step}.1.log"))).unwrap();
        let told = log.lines().filter(|line| line.contains(" has ")).map(str::to_owned).collect::<Vec<_>>();
        assert!(told.len() == 5, "{log}");
        told
    };
    let check = |step: &str, hardhat: &str, key: usize, url: usize| {
        let lengths = [("TEST_PRIVATE_KEY", key), ("TEST_RPC_URL", url), ("DEPLOYER_MNEMONIC", 0), ("NAMESPACE", 6)];
        let mut expected = vec![format!("hardhat has {hardhat} endpoint")];
        expected.extend(lengths.map(|(name, length)| format!("{name} has {length} characters")));
        assert_eq!(log(step), expected, "{step}");
    };
    check("nothing", "0 accounts and no", 0, 0);
    check("endpoint", "0 accounts and the", 0, URL.len());
    check("both", "1 accounts and the", KEY.len(), URL.len());
}
