// Plays the project plan on a chain: stakes, every job from escrow to payment, one reward epoch; and writes the
// receipts. It takes the chain it is given and starts none.
'use strict';

const crypto = require('node:crypto');
const path = require('node:path');
const { AbiCoder, ZeroHash, id, keccak256 } = require('ethers');
const { act, events, roles } = require('../lib/chain');
const { contract } = require('../lib/deployment');
const { at, fault, readJson, writeJson } = require('../lib/workspace');
const { settings } = require('../lib/deploy');

const ROLE = { agent: 0, validator: 1 };
const plan = () => readJson(at('demo', 'astral-citadel', 'project-plan.json'));
const slugOf = (job) => job.id.toLowerCase().replace(/[^a-z0-9]+/g, '-');

/** Jobs in an order in which each comes after those it depends on. */
function ordered(jobs) {
  const done = new Set();
  const result = [];
  while (result.length < jobs.length) {
    const next = jobs.find((job) => !done.has(job.id) && job.dependencies.every((name) => done.has(name)));
    if (!next) throw new Error('the jobs of the project plan depend on each other in a circle');
    done.add(next.id);
    result.push(next);
  }
  return result;
}

class Mission {
  constructor(chain, deployment, network, folder) {
    Object.assign(this, { chain, deployment, network, folder });
    this.employer = chain.accounts[roles.employer];
    this.worker = chain.accounts[roles.worker];
    this.validators = roles.validators.map((index) => chain.accounts[index]);
    this.registry = contract(chain, deployment, 'JobRegistry');
    this.validation = contract(chain, deployment, 'ValidationModule');
  }

  write(name, value) {
    writeJson(path.join(this.folder, name), value);
  }

  async stake({ agent, validator }) {
    const manager = contract(this.chain, this.deployment, 'StakeManager');
    const wanted = [['agent', this.worker, agent], ...this.validators.map((address) => ['validator', address, validator])];
    const entries = [];
    for (const [role, address, amount] of wanted) {
      const { hash } = await act(this.chain, address, manager, 'depositStake', [ROLE[role]], BigInt(amount));
      entries.push({ role, address, amount, txHash: hash });
    }
    this.write('stake.json', { entries });
    console.log(`staked for ${entries.length} accounts`);
  }

  async post(job, folder) {
    const { timestamp } = await this.chain.provider.getBlock('latest');
    const deadline = timestamp + job.deadlineDays * 86_400;
    const specHash = id(JSON.stringify(job));
    const specPath = 'demo/astral-citadel/project-plan.json';
    const { hash, receipt } = await act(this.chain, this.employer, this.registry, 'createJob', [deadline, specHash, specPath], BigInt(job.reward));
    const [created] = events(receipt, 'JobRegistry', 'JobCreated');
    const jobId = created.args.jobId.toString();
    const posted = { jobId, txHash: hash, reward: job.reward, deadline, specHash, specPath, metadata: job.metadata };
    this.write(`${folder}/post.json`, posted);
    return posted;
  }

  async submit(job, jobId, folder) {
    const resultHash = id(`${job.id}:${jobId}:result`);
    const { hash } = await act(this.chain, this.worker, this.registry, 'submit', [jobId, resultHash, job.resultURI]);
    this.write(`${folder}/submit.json`, { worker: this.worker, txHash: hash, resultURI: job.resultURI, resultHash });
  }

  async validate(jobId, folder) {
    const votes = [];
    for (const address of this.validators) {
      const salt = `0x${crypto.randomBytes(32).toString('hex')}`;
      const commitHash = keccak256(AbiCoder.defaultAbiCoder().encode(['uint256', 'address', 'bool', 'bytes32'], [jobId, address, true, salt]));
      const { hash } = await act(this.chain, address, this.validation, 'commitVote', [jobId, commitHash]);
      votes.push({ address, commitTx: hash, revealTx: null, commitHash, salt });
    }
    for (const vote of votes) {
      vote.revealTx = (await act(this.chain, vote.address, this.validation, 'revealVote', [jobId, true, vote.salt])).hash;
    }
    const { hash } = await act(this.chain, this.employer, this.validation, 'finalize', [jobId]);
    const counts = { commits: votes.length, reveals: votes.length };
    this.write(`${folder}/validate.json`, { jobId, validators: votes, finalizeTx: hash, ...counts });
  }

  async finalize(jobId, folder) {
    const watched = [this.worker, ...this.validators, this.deployment.contracts.FeePool];
    const balances = () => Promise.all(watched.map((address) => this.chain.provider.getBalance(address)));
    const before = await balances();
    const { hash } = await act(this.chain, this.employer, this.registry, 'finalize', [jobId]);
    const after = await balances();
    const payouts = {};
    watched.forEach((address, index) => {
      payouts[address] = { before: before[index], after: after[index], delta: after[index] - before[index] };
    });
    this.write(`${folder}/finalize.json`, { txHash: hash, payouts });
  }

  async job(job) {
    const slug = slugOf(job);
    const folder = `jobs/${slug}`;
    const posted = await this.post(job, folder);
    await this.submit(job, posted.jobId, folder);
    await this.validate(posted.jobId, folder);
    await this.finalize(posted.jobId, folder);
    console.log(`job ${posted.jobId} ${slug}: posted, submitted, validated, finalized`);
    const receipts = Object.fromEntries(['post', 'submit', 'validate', 'finalize'].map((step) => [step, `${folder}/${step}.json`]));
    const { jobId, reward, deadline, txHash, metadata } = posted;
    return { name: job.title, slug, jobId, reward, deadline, resultURI: job.resultURI, txHash, receipts, metadata, notes: job.notes };
  }

  async settleEpoch({ dH, dS, proofs }) {
    const engine = contract(this.chain, this.deployment, 'RewardEngineMB');
    const epoch = (await engine.latestEpoch()) + 1n;
    const { hash } = await act(this.chain, this.deployment.settlers[0], engine, 'settleEpoch', [epoch, dH, dS, proofs]);
    const target = this.deployment.contracts.RewardEngineMB;
    const params = { epoch: epoch.toString(), dH, dS, proofs };
    const settled = { target, method: 'settleEpoch', txHash: hash, type: 'settlement', params, before: false, after: true };
    this.write('governance.json', { actions: [settled], thermostat: [] });
    console.log(`settled epoch ${epoch} in ${hash}`);
  }

  deployReceipt() {
    const { contracts } = this.deployment;
    const { stakeManager, jobRegistry, validationModule } = settings();
    const econ = {
      feePct: Number(jobRegistry.feePct),
      burnPct: Number(stakeManager.burnPct),
      revealWindow: Number(validationModule.revealWindow),
      minStake: stakeManager.minStake,
      jobStake: jobRegistry.jobStake,
    };
    const timestamp = new Date().toISOString();
    this.write('deploy.json', { timestamp, network: this.network, governance: contracts.TimelockController, withTax: false, taxPolicy: null, econ, identity: {}, contracts });
  }

  /** One job's hash made wrong, where a fault asks for it. */
  async bent(jobs) {
    if (fault('zero-hash')) jobs[0].txHash = ZeroHash;
    if (fault('stale-hash')) jobs[0].txHash = (await this.chain.provider.getBlock(1)).transactions[0];
    return jobs;
  }

  async play() {
    const { objective, version, jobs, stakes, epoch } = plan();
    this.deployReceipt();
    const summary = { scope: 'astral-citadel', version, description: objective };
    if (fault('skip-mission')) {
      console.log('Skipping mission execution');
      return this.write('mission.json', { ...summary, jobs: [] });
    }
    await this.stake(stakes);
    const played = [];
    for (const job of ordered(jobs)) played.push(await this.job(job));
    await this.settleEpoch(epoch);
    this.write('mission.json', { ...summary, jobs: await this.bent(played) });
    console.log(`mission done: ${played.length} jobs`);
  }
}

const play = (chain, deployment, network, folder) => new Mission(chain, deployment, network, folder).play();

module.exports = { plan, play };
