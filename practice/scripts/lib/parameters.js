// What can be tuned: for each parameter the getters that read it, the setter that changes it and the value our config
// wants. It compares; it never changes anything.
'use strict';

const { config } = require('./workspace');
const { contract } = require('./deployment');

const roleNames = ['agent', 'validator', 'operator', 'employer'];

/** One parameter. `reads` lists getter calls; `prefix` holds setter arguments that stand before the values. */
const parameter = (module, label, method, reads, desired, prefix = []) => ({
  module,
  label,
  method,
  reads: reads.map((read) => [].concat(read)),
  desired: desired.map(String),
  prefix,
});

const single = (module, wanted) => ([getter, label]) => {
  const setter = `set${getter[0].toUpperCase()}${getter.slice(1)}`;
  return parameter(module, label, setter, [getter], [wanted[getter]]);
};

function rewardEngine(named) {
  const wanted = config('reward-engine');
  const one = (label, method, getter, value) => parameter('RewardEngineMB', label, method, [getter], [value]);
  const perRole = (label, method, getter, values) =>
    roleNames.map((role, index) => parameter('RewardEngineMB', `${label} (${role})`, method, [[getter, index]], [values[role]], [index]));
  const shares = roleNames.map((role) => wanted.roleShares[role]);
  return [
    one('Thermostat', 'setThermostat', 'thermostat', named(wanted.thermostat)),
    one('Fee pool', null, 'feePool', named(wanted.feePool)),
    one('Treasury', 'setTreasury', 'treasury', named(wanted.treasury)),
    one('Kappa (scaling)', 'setKappa', 'kappa', wanted.kappa),
    one('Max proofs per role', 'setMaxProofs', 'maxProofs', wanted.maxProofs),
    one('Fallback temperature', 'setTemperature', 'temperature', wanted.temperature),
    parameter('RewardEngineMB', 'Role shares', 'setRoleShares', roleNames.map((_, index) => ['roleShare', index]), shares),
    ...perRole('Mu', 'setMu', 'mu', wanted.mu),
    ...perRole('Baseline energy', 'setBaselineEnergy', 'baselineEnergy', wanted.baselineEnergy),
  ];
}

function thermostat() {
  const { systemTemperature, bounds, pid, kpiWeights, integralBounds } = config('thermodynamics').thermostat;
  const of = (label, method, reads, desired) => parameter('Thermostat', label, method, reads, desired);
  return [
    of('Temperature bounds', 'setTemperatureBounds', ['minTemp', 'maxTemp'], [bounds.min, bounds.max]),
    of('System temperature', 'setSystemTemperature', ['systemTemperature'], [systemTemperature]),
    of('PID gains', 'setPID', ['kp', 'ki', 'kd'], [pid.kp, pid.ki, pid.kd]),
    of('KPI weights', 'setKPIWeights', ['wEmission', 'wBacklog', 'wSla'], [kpiWeights.emission, kpiWeights.backlog, kpiWeights.sla]),
    of('Integral bounds', 'setIntegralBounds', ['integralMin', 'integralMax'], [integralBounds.min, integralBounds.max]),
  ];
}

function platformRegistry(named) {
  const wanted = config('platform-registry');
  const fixed = (label, getter) => parameter('PlatformRegistry', label, null, [getter], [named(wanted[getter])]);
  return [
    fixed('Stake manager', 'stakeManager'),
    fixed('Reputation engine', 'reputationEngine'),
    parameter('PlatformRegistry', 'Minimum platform stake', 'setMinPlatformStake', ['minPlatformStake'], [wanted.minPlatformStake]),
  ];
}

const jobRegistry = () =>
  [
    ['jobStake', 'Job stake'],
    ['minAgentStake', 'Minimum agent stake'],
    ['maxJobReward', 'Maximum job reward'],
    ['jobDurationLimit', 'Job duration limit'],
    ['maxActiveJobsPerAgent', 'Maximum active jobs per agent'],
    ['expirationGracePeriod', 'Expiration grace period'],
    ['feePct', 'Fee percentage'],
    ['validatorRewardPct', 'Validator reward percentage'],
  ].map(single('JobRegistry', config('job-registry')));

function feePool(named) {
  const wanted = config('fee-pool');
  const resolved = { ...wanted, treasury: named(wanted.treasury) };
  return [['burnPct', 'Burn percentage'], ['treasury', 'Treasury']].map(single('FeePool', resolved));
}

/** Each parameter set knows its config file, so that documents can name it. */
const sets = {
  'reward-engine': { build: rewardEngine, file: 'config/reward-engine.json' },
  thermostat: { build: thermostat, file: 'config/thermodynamics.json' },
  'platform-registry': { build: platformRegistry, file: 'config/platform-registry.json' },
  'job-registry': { build: jobRegistry, file: 'config/job-registry.json' },
  'fee-pool': { build: feePool, file: 'config/fee-pool.json' },
};

async function current(chain, deployment, { module, reads }) {
  const target = contract(chain, deployment, module);
  const values = await Promise.all(reads.map(([getter, ...args]) => target[getter](...args)));
  return values.map(String);
}

/** Every parameter of a set with what the chain says now. Config may name a contract instead of an address. */
async function compare(chain, deployment, setName) {
  const named = (value) => deployment.contracts[value] ?? value;
  const compared = sets[setName].build(named).map(async (wanted) => {
    const now = await current(chain, deployment, wanted);
    return { ...wanted, current: now, matches: now.join() === wanted.desired.join() };
  });
  return Promise.all(compared);
}

module.exports = { sets, compare, current };
