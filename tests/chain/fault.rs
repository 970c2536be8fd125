//! What can be wrong with a scripted endpoint: what it says of the chain, and how it sends that.

/// One thing that is wrong, or only odd.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    // What it is.
    WrongChain,
    Syncing,
    Development,
    Stale,
    Future,
    Frozen,
    Lags,
    LagsFar,
    IgnoresHashes,
    OtherHash,
    OtherGenesis,
    // What it becomes after the contract was read.
    Reorganised,
    GoesBackwards,
    // What it says of the contract.
    SaysPaused,
    /// Paused two and a half hours ago; it was not before.
    PausedLately,
    BoolTwo,
    DirtyHigh,
    DirtyAddress,
    Short,
    Trailing,
    NoReturn,
    NoCode,
    Delegates,
    ErrorsOnCalls,
    RevertsOnCalls,
    RevertsBarely,
    LeaksUrl,
    // How it sends it.
    Status500,
    Redirect,
    Html,
    Truncated,
    Empty,
    Silent,
    Closes,
    Resets,
    Drips,
    Gzipped,
    Endless,
    Unauthorized,
    TooMany,
    Untrusted,
    ForeignIds,
    SwappedIds,
    DoubledIds,
    MissingIds,
    // How it takes batches.
    NoBatches,
    ErrorsOnBatches,
    ClosesOnBatches,
    FewAtOnce,
    LimitsOnce,
}

/// All that is wrong with one endpoint.
#[derive(Debug, Clone)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    pub(crate) fn of(faults: &[Fault]) -> Self {
        Self(faults.to_vec())
    }

    pub(crate) fn has(&self, fault: Fault) -> bool {
        self.0.contains(&fault)
    }

    /// The same as long as the contract was not read, or afterwards.
    pub(crate) fn after(&self, read: bool) -> Self {
        let now = |fault: &Fault| match fault {
            Fault::Reorganised if read => Fault::OtherHash,
            Fault::GoesBackwards if read => Fault::LagsFar,
            Fault::Reorganised | Fault::GoesBackwards => Fault::None,
            other => *other,
        };
        Self(self.0.iter().map(now).collect())
    }
}
