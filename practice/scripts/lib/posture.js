// Reads who governs what: the Safe, the timelock, SystemPause, the eight modules and the two contracts beside them. It
// reads the chain, not config files, and changes nothing.
'use strict';

const { ZeroAddress, getAddress } = require('ethers');
const { roles } = require('./chain');
const { keyOf, modules } = require('./contracts');
const { contract } = require('./deployment');

const beside = ['Thermostat', 'RewardEngineMB'];

async function safePosture(chain, deployment) {
  const safe = contract(chain, deployment, 'GovernanceSafe');
  const [version, owners, threshold, nonce, slot] = await Promise.all([
    safe.VERSION(),
    safe.getOwners(),
    safe.getThreshold(),
    safe.nonce(),
    chain.rpc('eth_getStorageAt', [safe.target, '0x0', 'latest']),
  ]);
  const singleton = getAddress(`0x${slot.slice(-40)}`);
  return { address: safe.target, version, owners: [...owners], threshold: Number(threshold), nonce: nonce.toString(), singleton };
}

async function timelockPosture(chain, deployment) {
  const timelock = contract(chain, deployment, 'TimelockController');
  const has = async (role, account) => timelock.hasRole(await timelock[role](), account);
  const { GovernanceSafe: safe } = deployment.contracts;
  const deployer = chain.accounts[roles.deployer];
  const [minDelay, safeProposes, safeExecutes, safeCancels, openExecution, deployerAdmin, deployerProposes] = await Promise.all([
    timelock.getMinDelay(),
    has('PROPOSER_ROLE', safe),
    has('EXECUTOR_ROLE', safe),
    has('CANCELLER_ROLE', safe),
    has('EXECUTOR_ROLE', ZeroAddress),
    has('DEFAULT_ADMIN_ROLE', deployer),
    has('PROPOSER_ROLE', deployer),
  ]);
  const minDelaySeconds = Number(minDelay);
  return { address: timelock.target, minDelaySeconds, safeProposes, safeExecutes, safeCancels, openExecution, deployerAdmin, deployerProposes };
}

async function modulePosture(chain, deployment, name) {
  const module = contract(chain, deployment, name);
  const governable = module.interface.getFunction('governance') !== null;
  const [owner, governance, pauser, pauserManager, paused] = await Promise.all([
    module.owner(),
    governable ? module.governance() : null,
    module.pauser(),
    module.pauserManager(),
    module.paused(),
  ]);
  return { name, key: keyOf(name), address: module.target, type: governable ? 'governable' : 'ownable', owner, governance, pauser, pauserManager, paused };
}

async function governedPosture(chain, deployment, name) {
  const governed = contract(chain, deployment, name);
  const [owner, governance] = await Promise.all([governed.owner(), governed.governance()]);
  return { name, key: keyOf(name), address: governed.target, type: 'governable', owner, governance };
}

async function posture(chain, deployment) {
  const [safe, timelock, systemPause, activePauser, list, others] = await Promise.all([
    safePosture(chain, deployment),
    timelockPosture(chain, deployment),
    governedPosture(chain, deployment, 'SystemPause'),
    contract(chain, deployment, 'SystemPause').activePauser(),
    Promise.all(modules.map((name) => modulePosture(chain, deployment, name))),
    Promise.all(beside.map((name) => governedPosture(chain, deployment, name))),
  ]);
  const read = { safe, timelock, systemPause: { ...systemPause, activePauser }, modules: list, others };
  return { ...read, checks: checks(deployment, read) };
}

/** What must hold, one line each, with whether it does. */
function checks({ contracts }, { safe, timelock, systemPause, modules: list, others }) {
  const check = (key, ok, detail) => ({ key, ok, detail });
  const governed = ({ name, governance }) => check(`${name} governed by the timelock`, governance === contracts.TimelockController, `governance is ${governance}`);
  const owned = list.flatMap(({ name, owner, pauser, paused }) => [
    check(`${name} owned by SystemPause`, owner === contracts.SystemPause, `owner is ${owner}`),
    check(`${name} paused by SystemPause`, pauser === contracts.SystemPause, `pauser is ${pauser}`),
    check(`${name} running`, !paused, paused ? 'the module is paused' : 'not paused'),
  ]);
  return [
    check('Safe runs the deployed singleton', safe.singleton === contracts.SafeSingleton, `singleton is ${safe.singleton}`),
    check('Safe needs more than one owner', safe.threshold > 1 && safe.threshold < safe.owners.length, `${safe.threshold} of ${safe.owners.length}`),
    check('Safe proposes at the timelock', timelock.safeProposes, `proposer role: ${timelock.safeProposes}`),
    check('Deployer has no role', !timelock.deployerAdmin && !timelock.deployerProposes, 'admin and proposer roles of the deployer'),
    governed(systemPause),
    ...others.map(governed),
    ...owned,
  ];
}

module.exports = { posture };
