//! The attestations that leave with a run, in their envelopes, each signed by the command that the operator names. citadel
//! holds no key: the command gets what to sign on its stdin, and what it answers is verified before it is kept.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::attest::{Envelope, Key, NAMESPACE, attestations, pae};
use crate::audit::{SIGNER, attestation_file};
use crate::cli::Attesting;
use crate::commands::context::Context;
use crate::error::{ExitCode, Failure};
use crate::journal::Entry;
use crate::process;

/// How long one signature may take: somebody may have to touch a key.
const PATIENCE: Duration = Duration::from_mins(2);

/// The command that signs, and the key that it signs with.
struct Signer<'a> {
    context: &'a Context,
    command: &'a str,
    key: Key,
}

/// The files of a run's attestations, by their place in what leaves.
pub(super) async fn attest(
    context: &Context,
    asked: &Attesting,
    entries: &[Entry],
) -> Result<BTreeMap<String, Vec<u8>>, Failure> {
    let signer = match (&asked.sign_with, &asked.signer) {
        (Some(command), Some(file)) => Some(Signer { context, command, key: read_key(&context.here.join(file))? }),
        _ => None,
    };
    let mut files = BTreeMap::new();
    for attestation in attestations(entries)? {
        let mut envelope = Envelope::new(&attestation.payload);
        if let Some(signer) = &signer {
            let signature = signer.sign(&pae(&attestation.payload)).await.map_err(|why| signer.refused(&why))?;
            envelope = envelope.signed(signer.key.id(), &signature);
        }
        files.insert(attestation_file(&attestation.name), envelope.bytes()?);
    }
    if let Some(signer) = &signer {
        files.insert(SIGNER.to_owned(), (signer.key.line()? + "\n").into_bytes());
    }
    Ok(files)
}

/// Reads the file of a public key.
pub(in crate::commands) fn read_key(file: &std::path::Path) -> Result<Key, Failure> {
    let usage = |why: String| {
        Failure::new(ExitCode::Usage, format!("`{}` {why}", file.display()))
            .hint("name the public key: the file that ends in `.pub`, or an ed25519 key in PEM")
    };
    let text = std::fs::read_to_string(file).map_err(|error| usage(format!("cannot be read: {error}")))?;
    Key::read(&text).map_err(usage)
}

impl Signer<'_> {
    async fn sign(&self, bytes: &[u8]) -> Result<Vec<u8>, String> {
        let argv = ["sh", "-c", self.command].map(str::to_owned).to_vec();
        let (dir, env) = (self.context.here.clone(), &self.context.environment);
        let signature = plain(process::feed(argv, dir, env, bytes, PATIENCE).await?);
        self.key.verify(bytes, &signature).map_err(|why| format!("what it printed {why}"))?;
        Ok(signature)
    }

    fn refused(&self, why: &str) -> Failure {
        let what = format!("`{}` did not sign: {}; nothing was written", self.command, crate::text::clean(why));
        Failure::new(ExitCode::Precondition, what).hint(format!(
            "it gets the bytes to sign on its stdin and prints the signature, such as `ssh-keygen -Y sign -n {NAMESPACE} \
             -f KEY`; docs/attestations.md has more"
        ))
    }
}

/// The bytes of a signature that was printed: an armored one as it is, a plain one as bytes or in base64.
fn plain(printed: Vec<u8>) -> Vec<u8> {
    let text = std::str::from_utf8(&printed).map(str::trim);
    let decoded = text.ok().and_then(|text| STANDARD.decode(text).ok());
    decoded.filter(|bytes| bytes.len() == 64).unwrap_or(printed)
}
