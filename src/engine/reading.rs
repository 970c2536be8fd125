//! Reads of the chain that tell what they wait for, so that nobody sits before a silent terminal. Judges nothing itself.

use std::future::Future;

use super::Engine;
use super::world::World;

impl Engine<'_> {
    /// Does `reading` to its end and shows meanwhile which block `who` waits for.
    pub(super) fn telling_waits<T>(&self, who: &str, reading: impl Future<Output = T>) -> impl Future<Output = T> {
        telling_waits(&self.world, who, |activity| self.recorder.activity(activity), reading)
    }
}

/// The same for whoever has no engine.
pub fn telling_waits<T>(
    world: &World,
    who: &str,
    mut tell: impl FnMut(&str),
    reading: impl Future<Output = T>,
) -> impl Future<Output = T> {
    let mut waits = world.waits.subscribe();
    // On the heap, so that whoever awaits it stays small.
    let mut reading = Box::pin(reading);
    async move {
        loop {
            tokio::select! {
                read = &mut reading => return read,
                Ok(()) = waits.changed() => {
                    let wait = waits.borrow_and_update().clone();
                    if let Some(wait) = wait {
                        tell(&format!("{who} waits for a block: {wait}"));
                    }
                }
            }
        }
    }
}
