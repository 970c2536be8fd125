//! A real Anvil behind a proxy that plays a trick on whoever reads through it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::anvil::Anvil;
use crate::scripted::{Reply, Scripted};
use crate::told::CONTRACT;

/// What happens once the examination was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trick {
    None,
    /// Nothing; the chain began years ago, so that it is another one.
    Older,
    /// Nothing; the chain calls itself Ethereum's.
    Mainnet,
    /// The same, and the node gives itself another name.
    Disguised,
    /// Its newest blocks are replaced.
    Reorg,
    /// Its newest blocks are gone.
    Revert,
}

/// The proxy and its chain, which end with this.
pub(crate) struct Proxied {
    server: Scripted,
    _anvil: Arc<Anvil>,
}

impl Proxied {
    /// A chain of a few blocks with a contract that answers zero to everything.
    pub(crate) async fn start(trick: Trick) -> Self {
        let anvil = Anvil::start(match trick {
            Trick::Mainnet | Trick::Disguised => &["--chain-id", "1"],
            Trick::Older => &["--timestamp", "1600000000"],
            Trick::None | Trick::Reorg | Trick::Revert => &[],
        });
        let snapshot = anvil.rpc("evm_snapshot", json!([])).await;
        // PUSH1 32, PUSH1 0, RETURN
        anvil.set_code(CONTRACT.parse().unwrap(), &[0x60, 0x20, 0x60, 0x00, 0xf3]).await;
        for _ in 0..3 {
            anvil.mine().await;
        }
        let (anvil, posts) = (Arc::new(anvil), Arc::new(AtomicUsize::new(0)));
        let (behind, runtime) = (anvil.clone(), tokio::runtime::Handle::current());
        let answer = move |asked: &Value| {
            let first = posts.fetch_add(1, Ordering::SeqCst) == 0;
            let body = tokio::task::block_in_place(|| {
                runtime.block_on(async {
                    let mut body = behind.forward(asked).await;
                    match trick {
                        Trick::Disguised => body = String::from_utf8(body).unwrap().replace("anvil", "Geth").into(),
                        Trick::Reorg if first => drop(behind.rpc("anvil_reorg", json!([2, []])).await),
                        Trick::Revert if first => drop(behind.rpc("evm_revert", json!([snapshot])).await),
                        _ => {}
                    }
                    body
                })
            });
            Reply { status: "200 OK", headers: "", body }
        };
        Self { server: Scripted::answering(Arc::new(answer)).await, _anvil: anvil }
    }

    pub(crate) fn url(&self) -> &str {
        self.server.url()
    }
}
