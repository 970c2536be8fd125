//! A gate: published copies first, then the judgement, then people, then the record.

use std::collections::BTreeMap;

use super::accounts::Contracts;
use super::judge::{self, Judgement};
use super::publish;
use super::record::GateRecord;
use super::suspension;
use super::{Engine, accounts, signed_record};
use crate::chain::{PinnedBlock, Reading};
use crate::digest::sha256;
use crate::error::Failure;
use crate::event::{BlockRef, Event, GateJudged};
use crate::journal::{RunFolder, write_file};
use crate::process::Stop;
use crate::runbook::Phase;
use crate::verdict::{Verdict, worst};

impl Engine<'_> {
    pub(super) async fn judge_gate(&mut self, phase: &Phase) -> Result<(), Failure> {
        self.recorder.activity(&format!("gate {}: reading the chain", phase.id));
        self.publish()?;
        // The loop sees the stop and records it; a gate that was not judged stays as it was.
        let Some(mut judgement) = self.judgement(phase).await else { return Ok(()) };
        let contracts = accounts::take(&self.view(), phase, &mut judgement);
        if let (Verdict::Passed, Some(sign_off)) = (judgement.verdict(), &phase.gate.sign_off) {
            let signed = self.sign_off(phase, sign_off, &judgement, &contracts).await?;
            judgement.results.push(signed);
        }
        if !judgement.results.iter().any(|result| result.kind == "contingency") {
            // One may have begun while people were asked.
            judgement.results.extend(suspension::results(&self.view()));
        }
        let verdict = worst(judgement.results.iter().map(|result| result.verdict));
        let judged = self.record_of(phase, verdict, judgement, &contracts)?;
        self.recorder.record(Event::GateJudged(judged))
    }

    /// Judges, and shows what it waits for; none where citadel was asked to stop.
    async fn judgement(&self, phase: &Phase) -> Option<Judgement> {
        let mut stop = self.world.stop.clone();
        let view = self.view();
        let more = accounts::asks(&view, phase);
        let gate = format!("gate {}", phase.id);
        tokio::select! {
            judgement = self.telling_waits(&gate, judge::judge(&view, phase, &more)) => Some(judgement),
            _ = stop.wait_for(|stop| *stop != Stop::No) => None,
        }
    }

    /// Writes everything that is needed to judge the gate again, and gives the event that points at it.
    fn record_of(
        &self,
        phase: &Phase,
        verdict: Verdict,
        judgement: Judgement,
        contracts: &Contracts,
    ) -> Result<GateJudged, Failure> {
        let network = self.view().network(phase);
        let definition = self.definition(phase);
        let view = self.view();
        let sign_off = phase.gate.sign_off.as_ref();
        let sign_off =
            sign_off.and_then(|asked| signed_record::keep(&view, phase, asked, &judgement.results, contracts));
        let Judgement { results, reading, asks, noted, time } = judgement;
        let block = reading.as_ref().and_then(|reading| reading.block).map(block_ref);
        let finalized = reading.as_ref().and_then(|reading| reading.finalized).map(block_ref);
        let record = GateRecord {
            format: GateRecord::format(),
            citadel: env!("CARGO_PKG_VERSION").to_owned(),
            judged: time,
            gate: phase.id.clone(),
            run: self.world.run.clone(),
            network: network.name.clone(),
            chain_id: network.chain_id,
            runbook_sha256: self.runbook.sha256.clone(),
            definition: definition.clone(),
            verdict,
            results,
            transactions: asks,
            inputs: noted,
            reading,
            sign_off,
            runbook: self.runbook.text.clone(),
        };
        let text = record.sealed()?;
        let path = RunFolder::gate(&phase.id.0, self.recorder.head().1 + 1);
        write_file(&self.world.folder.file(&path), &text)?;
        publish::gate_record(&self.world, &phase.id, &text)?;
        Ok(GateJudged {
            gate: phase.id.clone(),
            verdict,
            network: network.name.clone(),
            block,
            finalized,
            results: record.results,
            record: path,
            record_sha256: sha256(&text),
            definition,
            heads: record.reading.as_ref().map(heads).unwrap_or_default(),
            notes: record.reading.map(|reading| reading.notes).unwrap_or_default(),
        })
    }

    fn definition(&self, phase: &Phase) -> String {
        let outline = self.recorder.progress().phases.iter().find(|outline| outline.id == phase.id);
        outline.map(|outline| outline.digest.clone()).unwrap_or_default()
    }
}

/// A block as events name it.
pub(super) fn block_ref(block: PinnedBlock) -> BlockRef {
    BlockRef { number: block.number, hash: format!("{:#x}", block.hash), time: block.time }
}

/// The newest block that each counted endpoint told.
fn heads(reading: &Reading) -> BTreeMap<String, u64> {
    let counted = reading.endpoints.iter().filter(|report| report.counted);
    counted.filter_map(|report| Some((report.variable.clone(), report.head?))).collect()
}
