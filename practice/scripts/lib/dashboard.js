// Collects the metrics of every contract for the dashboard. A contract that cannot be read becomes an `error` metric; the
// others are still shown.
'use strict';

const { keyOf, modules } = require('./contracts');
const { contract } = require('./deployment');
const { compare, sets } = require('./parameters');
const { config } = require('./workspace');

const extra = {
  JobRegistry: ['jobStake', 'minAgentStake', 'maxJobReward', 'jobDurationLimit', 'maxActiveJobsPerAgent', 'feePct', 'validatorRewardPct', 'nextJobId'],
  StakeManager: ['minStake', 'feePct', 'burnPct', 'treasury'],
  ValidationModule: ['committeeSize', 'minValidatorStake', 'revealWindow'],
  DisputeModule: ['committee'],
  PlatformRegistry: ['minPlatformStake', 'stakeManager', 'reputationEngine'],
  FeePool: ['burnPct', 'treasury', 'totalReceived', 'totalBurned'],
  ReputationEngine: [],
  ArbitratorCommittee: ['memberCount'],
  SystemPause: ['activePauser'],
  Thermostat: ['systemTemperature', 'minTemp', 'maxTemp', 'kp', 'ki', 'kd', 'integralMin', 'integralMax', 'wEmission', 'wBacklog', 'wSla'],
  RewardEngineMB: ['thermostat', 'feePool', 'treasury', 'kappa', 'maxProofs', 'temperature', 'latestEpoch'],
};
const words = (getter) => getter[0].toUpperCase() + getter.slice(1).replace(/([A-Z])/g, ' $1');
const shownValue = (value) => (typeof value === 'bigint' ? value.toString() : value);

async function metric(target, label, getter) {
  return { label, value: shownValue(await target[getter]()) };
}

async function pausedMetric(chain, deployment) {
  const flags = await Promise.all(modules.map((name) => contract(chain, deployment, name).paused()));
  return { label: 'Paused', value: flags.every(Boolean) };
}

async function metrics(chain, deployment, name) {
  const target = contract(chain, deployment, name);
  if ((await chain.rpc('eth_getCode', [target.target, 'latest'])) === '0x') throw new Error('no code at this address');
  const governable = target.interface.getFunction('governance') !== null;
  const pausable = modules.includes(name);
  const head = [governable ? ['Governance', 'governance'] : ['Owner', 'owner'], ...(pausable ? [['Pauser', 'pauser'], ['Paused', 'paused']] : [])];
  const rest = extra[name].map((getter) => [words(getter), getter]);
  const read = await Promise.all([...head, ...rest].map(([label, getter]) => metric(target, label, getter)));
  if (name === 'SystemPause') read.push(await pausedMetric(chain, deployment));
  return read;
}

async function moduleView(chain, deployment, name) {
  const view = { key: keyOf(name), name, address: deployment.contracts[name] ?? null, metrics: [] };
  try {
    view.metrics = await metrics(chain, deployment, name);
  } catch (error) {
    view.metrics = [{ label: 'error', value: error.shortMessage || error.message }];
  }
  return view;
}

/** Every configured value beside the chain's, so that the difference can be reviewed. */
async function differences(chain, deployment) {
  const compared = await Promise.all(Object.keys(sets).map((name) => compare(chain, deployment, name).catch(() => [])));
  const rows = compared.flat().filter(({ matches }) => !matches);
  return rows.map(({ module, label, current, desired }) => ({ module, parameter: label, current: current.join(), desired: desired.join() }));
}

async function dashboard(chain, deployment) {
  const views = await Promise.all(Object.keys(extra).map((name) => moduleView(chain, deployment, name)));
  return {
    network: { chainId: chain.chainId, name: chain.name, configNetwork: chain.name },
    modules: views,
    differences: await differences(chain, deployment),
    config: {
      jobRegistry: config('job-registry'),
      feePool: config('fee-pool'),
      platformRegistry: config('platform-registry'),
      rewardEngine: config('reward-engine'),
      thermodynamics: config('thermodynamics'),
    },
  };
}

module.exports = { dashboard };
