//! Reads of the chain that tell what they wait for, so that nobody sits before a silent terminal. Judges nothing itself.

use std::future::Future;
use std::pin::pin;

use super::Engine;
use super::world::World;

impl Engine<'_> {
    /// Does `reading` to its end and shows meanwhile which block `who` waits for.
    pub(super) async fn telling_waits<T>(&self, who: &str, reading: impl Future<Output = T>) -> T {
        telling_waits(&self.world, who, |activity| self.recorder.activity(activity), reading).await
    }
}

/// The same for whoever has no engine.
pub async fn telling_waits<T>(
    world: &World,
    who: &str,
    mut tell: impl FnMut(&str),
    reading: impl Future<Output = T>,
) -> T {
    let mut waits = world.waits.subscribe();
    let mut reading = pin!(reading);
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
