//! Much output: every byte is kept, and memory stays flat.

use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::Path;
use std::time::Duration;

use crate::alone;
use crate::citadel_process::{said, start};

/// Runs a script in a citadel of its own; gives what it said and its largest resident memory, in KiB.
async fn run(script: &str, folder: &Path) -> (String, u64) {
    let said = said(start(script, folder, Duration::from_mins(30))).await;
    let peak = said.lines().find_map(|line| line.strip_prefix("peak ")).unwrap();
    let kib = peak.strip_suffix(" kB").unwrap().trim().parse().unwrap();
    (said, kib)
}

/// Whether a file is `pattern` over and over, `bytes` long.
fn holds(file: &Path, pattern: &[u8], bytes: u64) {
    let mut reader = BufReader::new(File::open(file).unwrap());
    let (mut piece, mut read) = (vec![0; 1 << 20], 0_u64);
    let expected: Vec<u8> = pattern.iter().copied().cycle().take(piece.len() + pattern.len()).collect();
    loop {
        let count = reader.read(&mut piece).unwrap();
        if count == 0 {
            break;
        }
        let from = usize::try_from(read % pattern.len() as u64).unwrap();
        assert!(piece[..count] == expected[from..from + count], "{} differs after {read} bytes", file.display());
        read += count as u64;
    }
    assert_eq!(read, bytes);
}

#[tokio::test]
async fn every_byte_is_kept_in_flat_memory() {
    let _alone = alone().await;
    let folder = tempfile::tempdir().unwrap();
    let (_, little) = run("yes 0123456 | head -c 2000000", folder.path()).await;
    // CITADEL_TEST_OUTPUT=1073741824 for a whole GiB.
    let size = std::env::var("CITADEL_TEST_OUTPUT").map_or(200_000_000, |size| size.parse().unwrap());
    let begun = std::time::Instant::now();
    let (said, much) = run(&format!("yes 0123456 | head -c {size}"), folder.path()).await;
    println!("{size} bytes in {:?}; {little} KiB resident for little, {much} KiB for much", begun.elapsed());
    assert!(said.contains(&format!("ended Exited(0) left [] bytes {size} lost None")), "{said}");
    holds(&folder.path().join("log"), b"0123456\n", size);
    holds(&folder.path().join("stdout"), b"0123456\n", size);
    assert!(much < little + 4096, "{little} KiB for little output, {much} KiB for much");
}

#[tokio::test]
async fn an_endless_line_needs_no_more() {
    let _alone = alone().await;
    let folder = tempfile::tempdir().unwrap();
    let (_, little) = run("head -c 2000000 /dev/zero", folder.path()).await;
    let (said, much) = run("head -c 100000000 /dev/zero; head -c 100000000 /dev/zero >&2", folder.path()).await;
    assert!(said.contains("bytes 200000000 lost None"), "{said}");
    holds(&folder.path().join("log"), b"\0", 200_000_000);
    holds(&folder.path().join("stdout"), b"\0", 100_000_000);
    assert!(much < little + 4096, "{little} KiB for little output, {much} KiB for much");
}
