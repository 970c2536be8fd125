//! citadel killed by SIGKILL at every record of a complete run, and taken up again: the same end, every transaction of the
//! mission exactly once, no lock held, a journal that verifies. Writes or compares `docs/kill-points.md`.
//!
//! `cargo test --features kill-points --test kill_points`; with `UPDATE_KILL_POINTS=1` the document is written.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]
#![expect(clippy::disallowed_methods, reason = "starts citadel, Anvil and make, and reads the test's own switch")]

#[path = "kill_points/chain.rs"]
mod chain;
#[path = "kill_points/site.rs"]
mod site;
#[path = "kill_points/table.rs"]
mod table;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use citadel::event::Event;
use citadel::progress::{Progress, StepState};
use site::{Kill, Site, Story, said};
use table::Row;

const MOMENTS: [&str; 5] = ["before-write", "torn-write", "after-write", "after-sync", "after-telling"];

/// Goes on when nobody reads its output any more.
const MISSION: &str = "make -C demo/astral-citadel mission > mission.log 2>&1";

/// What a run leads to, without what is different every time: hashes, times, attempts.
#[derive(Debug, PartialEq)]
struct End {
    complete: bool,
    steps: BTreeMap<String, StepState>,
    gates: BTreeMap<String, String>,
    artefacts: Vec<String>,
    published: Vec<String>,
}

impl End {
    fn of(progress: &Progress) -> Self {
        let verdict = |gate: &citadel::progress::GateProgress| format!("{:?}", gate.judged.as_ref().unwrap().verdict);
        Self {
            complete: progress.complete,
            steps: progress.steps.iter().map(|(id, step)| (id.0.clone(), step.state)).collect(),
            gates: progress.gates.iter().map(|(id, gate)| (id.0.clone(), verdict(gate))).collect(),
            artefacts: progress.artefacts.keys().cloned().collect(),
            published: progress.published.iter().map(|file| file.path.clone()).collect(),
        }
    }
}

/// The story of a run that nobody killed.
fn clean(site: &mut Site) -> Story {
    site.reset();
    let story = site.drive(&[]);
    assert!(story.progress.complete);
    assert_eq!((story.counts.jobs_created, story.counts.jobs_finalized), (3, 3));
    story
}

/// Drives through each list of kills on sites of their own, some at a time.
fn drive_all(lists: &[Vec<Kill>], wanted: &(End, chain::Counts)) -> Vec<Story> {
    let taken = AtomicUsize::new(0);
    let work = || {
        let mut site = Site::new(MISSION);
        let mut stories = Vec::new();
        loop {
            let index = taken.fetch_add(1, Ordering::SeqCst);
            let Some(kills) = lists.get(index) else { return stories };
            site.reset();
            let story = site.drive(kills);
            assert_eq!(End::of(&story.progress), wanted.0, "killed at {kills:?}");
            assert_eq!(story.counts, wanted.1, "killed at {kills:?}");
            site.is_true(&story.progress);
            stories.push((index, story));
        }
    };
    let workers = thread::available_parallelism().map_or(1, usize::from).min(4);
    let mut stories: Vec<(usize, Story)> = thread::scope(|scope| {
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    stories.sort_by_key(|(index, _)| *index);
    stories.into_iter().map(|(_, story)| story).collect()
}

#[test]
fn killed_at_every_record_it_comes_to_the_same_end() {
    let clean = clean(&mut Site::new(MISSION));
    let wanted = (End::of(&clean.progress), clean.counts.clone());
    let every = |from: u64, to: u64| (from..=to).flat_map(|at| MOMENTS.map(|moment| (at, moment)));

    let kills: Vec<Kill> = every(1, clean.entries.len() as u64).collect();
    let once_killed = drive_all(&kills.iter().map(|kill| vec![*kill]).collect::<Vec<_>>(), &wanted);
    let name = |kill: &Kill| table::record(&clean.entries[usize::try_from(kill.0 - 1).unwrap()].event);
    let first: Vec<Row> =
        kills.iter().zip(&once_killed).map(|(kill, story)| Row::new(*kill, story, name(kill))).collect();

    // The worst place: the mission is at work, and citadel dies again at every record of its resume.
    let is_spawn = |event: &Event| matches!(event, Event::StepSpawned { step, .. } if step.0 == "1.mission");
    let spawn = clean.entries.iter().find(|entry| is_spawn(&entry.event)).unwrap().seq;
    let again: Vec<Kill> = every(spawn + 1, spawn + 4).collect();
    let stories = drive_all(&again.iter().map(|kill| vec![(spawn, "after-sync"), *kill]).collect::<Vec<_>>(), &wanted);
    let once = kills.iter().position(|kill| *kill == (spawn, "after-sync")).unwrap();
    let resumed: Vec<String> = records_after(&once_killed[once], spawn);
    let second: Vec<Row> = again
        .iter()
        .zip(&stories)
        .map(|(kill, story)| Row::new(*kill, story, resumed[usize::try_from(kill.0 - spawn - 1).unwrap()].clone()))
        .collect();
    compare(&document(&first, &second, spawn));
}

/// The records after `sequence`, in words.
fn records_after(story: &Story, sequence: u64) -> Vec<String> {
    let after = usize::try_from(sequence).unwrap();
    story.entries[after..].iter().map(|entry| table::record(&entry.event)).collect()
}

fn document(first: &[Row], second: &[Row], spawn: u64) -> String {
    let head = include_str!("kill_points/head.md");
    let (first, second) = (table::render(first), table::render(second));
    format!(
        "{head}\n{first}\n## Killed again while it resumes\n\nThe mission was at work when citadel was killed first \
         (record {spawn}, `after-sync`). It came to its end alone; the next citadel was killed at every record it wrote \
         until the mission was settled, and one after it.\n\n{second}"
    )
}

fn compare(document: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/kill-points.md");
    if std::env::var_os("UPDATE_KILL_POINTS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        return std::fs::write(path, document).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    for (index, (is, was)) in document.lines().zip(written.lines()).enumerate() {
        assert_eq!(is, was, "line {} of docs/kill-points.md; UPDATE_KILL_POINTS=1 writes it", index + 1);
    }
    assert_eq!(document.len(), written.len(), "docs/kill-points.md; UPDATE_KILL_POINTS=1 writes it");
}

/// A command that writes to a pipe which nobody reads any more dies of it, in the middle of what it does. What is half done
/// is never begun again: the probe sees its first transaction, and its evidence does not hold.
#[test]
fn a_mission_that_died_with_its_citadel_is_not_begun_again() {
    let mut site = Site::new("npm run -s demo:asi-global");
    site.reset();
    let clean = site.drive(&[]);
    let is_spawn = |event: &Event| matches!(event, Event::StepSpawned { step, .. } if step.0 == "1.mission");
    let spawn = clean.entries.iter().find(|entry| is_spawn(&entry.event)).unwrap().seq;
    site.reset();
    let killed = site.run(Some((spawn, "after-sync")));
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&killed.status), Some(9), "{}", said(&killed));
    let first = site.run_beside_nobody(None);
    let counts = site.chain.counts();
    assert!(counts.sent.iter().sum::<u64>() > 0, "the mission did nothing at all: {counts:?}");
    assert!(counts.jobs_finalized < 3, "the mission came to its end: {counts:?}");
    assert_eq!(first.status.code(), Some(13), "{}", said(&first));
    let text = said(&first);
    assert!(text.contains("its effect happened, but its evidence does not hold"), "{text}");
    let second = site.run(None);
    assert_eq!(second.status.code(), Some(13), "{}", said(&second));
    assert_eq!(site.chain.counts(), counts, "the mission was begun again");
    site.is_true(&Progress::replay(site.journal().unwrap().entries.iter().map(|entry| &entry.event)));
}
