//! A development node that is not on this machine: a real Anvil at an address of its own, in a network namespace, behind
//! TLS that citadel trusts. What refuses it there is the name it gives itself, for its address does not.

use std::process::Stdio;

use ethers::types::H256;
use tokio::net::{TcpListener, TcpStream};

use crate::proxy::{Proxied, Trick};
use crate::scripted::acceptor;
use crate::site::{Ended, Site};
use crate::world::network;

/// Set where the tests run in a namespace of their own.
const INSIDE: &str = "CITADEL_TEST_ELSEWHERE";
/// An address for documentation (RFC 5737): in no network, and not loopback's.
const ADDRESS: &str = "192.0.2.1";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_development_node_at_another_address_is_refused() {
    if std::env::var_os(INSIDE).is_some() {
        return inside().await;
    }
    let script = format!("ip link set lo up && ip addr add {ADDRESS}/32 dev lo && {INSIDE}=1 exec \"$@\"");
    let own = std::env::current_exe().unwrap();
    let name = "elsewhere::a_development_node_at_another_address_is_refused";
    let unshare = ["--user", "--map-root-user", "--net", "--", "sh", "-c"];
    let mut command = tokio::process::Command::new("unshare");
    let possible = command.args(unshare).arg("ip link set lo up").stderr(Stdio::null()).status().await;
    if !possible.is_ok_and(|status| status.success()) {
        say("not tested: this machine gives no network namespaces, or has no `ip`");
        return;
    }
    let mut command = tokio::process::Command::new("unshare");
    command.args(unshare).args([&script, "sh"]).arg(own).args(["--exact", name, "--nocapture"]);
    let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("seen inside"), "{said}");
}

async fn inside() {
    let refused = judged(Trick::Mainnet, None).await;
    assert_eq!(refused.code, 11, "{}", refused.said);
    let flat = refused.said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flat.contains("is a development node (`anvil/"), "{flat}");
    assert!(flat.contains(ADDRESS) && !flat.contains("secretkey"), "{flat}");
    // A node that lies about its name too is known by its first block, where the runbook declares that.
    let genesis = "0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3".parse().unwrap();
    let disguised = judged(Trick::Disguised, Some(genesis)).await;
    assert!(disguised.code == 11 && disguised.said.contains("has another genesis block"), "{}", disguised.said);
    // Without either, nothing tells it from another chain: the address and the certificate refuse nobody.
    let believed = judged(Trick::Disguised, None).await;
    assert_eq!(believed.code, 0, "{}", believed.said);
    say("seen inside");
}

#[expect(clippy::print_stdout, reason = "told to the test outside, or to who runs it")]
fn say(what: &str) {
    println!("{what}");
}

/// What citadel says of an Anvil that is reached over TLS at the other address.
async fn judged(trick: Trick, genesis: Option<H256>) -> Ended {
    let node = Proxied::start(trick).await;
    let plain = node.url().strip_prefix("http://").unwrap().split('/').next().unwrap().to_owned();
    let listener = TcpListener::bind((ADDRESS, 0)).await.unwrap();
    let url = format!("https://{}/v3/secretkey", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let plain = plain.clone();
            tokio::spawn(async move {
                let mut stream = acceptor(include_bytes!("elsewhere.pem")).accept(stream).await.unwrap();
                let mut behind = TcpStream::connect(plain).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut stream, &mut behind).await;
            });
        }
    });
    let mut mainnet = network(1, 1, &["A_RPC_URL"]);
    mainnet.genesis = genesis;
    let trusted = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/chain/elsewhere-ca.pem");
    let site = Site::new(&mainnet, ("paused()(bool)", false.into()), &[url]).set("SSL_CERT_FILE", trusted);
    site.verify("human").await
}
