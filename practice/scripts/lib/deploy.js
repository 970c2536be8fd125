// Deploys the whole system on a local chain and hands it to the timelock. It sends the transactions in one go, because
// every address can be known beforehand, and leaves the deployer with no power.
'use strict';

const { AbiCoder, Contract, ZeroAddress, concat, getAddress, getCreate2Address, getCreateAddress, keccak256, toBeHex } = require('ethers');
const { at, readJson } = require('./workspace');
const { confirm, roles, submit } = require('./chain');
const { artifact, interfaceOf, modules } = require('./contracts');

const coder = AbiCoder.defaultAbiCoder();
const settings = () => readJson(at('deployment-config', 'anvil.json'));

/** Queues transactions of one sender under consecutive nonces; `done` waits for all and demands success. */
class Batch {
  constructor(chain, from, nonce) {
    Object.assign(this, { chain, from, nonce, pending: [] });
  }

  async push(to, data, gas) {
    this.pending.push(await submit(this.chain, this.from, { to, data, gas, nonce: this.nonce }));
    this.nonce += 1;
  }

  deploy(name, args = []) {
    const { bytecode } = artifact(name);
    return this.push(undefined, concat([bytecode, interfaceOf(name).encodeDeploy(args)]), 8_000_000n);
  }

  call(name, address, method, args = []) {
    return this.push(address, interfaceOf(name).encodeFunctionData(method, args), 2_000_000n);
  }

  async done() {
    for (const hash of this.pending.splice(0)) await confirm(this.chain, hash);
  }
}

const order = ['SafeSingleton', 'SafeProxyFactory', 'CompatibilityFallbackHandler', 'MultiSendCallOnly', 'TimelockController', 'SystemPause', ...modules, 'Thermostat', 'RewardEngineMB'];
const artifactName = (name) => (name === 'SafeSingleton' ? 'Safe' : name);

/** All addresses, before anything is sent: deployment number n of the sender goes to a place its nonce decides. */
function foresee(from, nonce, initializer) {
  const contracts = {};
  order.forEach((name, index) => {
    contracts[name] = getCreateAddress({ from, nonce: nonce + index });
  });
  const salt = keccak256(concat([keccak256(initializer(contracts)), toBeHex(nonce, 32)]));
  const code = concat([artifact('SafeProxy').bytecode, coder.encode(['address'], [contracts.SafeSingleton])]);
  contracts.GovernanceSafe = getCreate2Address(contracts.SafeProxyFactory, salt, keccak256(code));
  return contracts;
}

const safeSetup = (owners, threshold) => (contracts) =>
  interfaceOf('Safe').encodeFunctionData('setup', [owners, threshold, ZeroAddress, '0x', contracts.CompatibilityFallbackHandler, ZeroAddress, 0, ZeroAddress]);

function constructorArgs(name, deployer, accounts, c, s) {
  const named = (address) => c[address] ?? address;
  const reward = s.rewardEngine;
  const args = {
    TimelockController: [s.governance.timelockDelaySeconds, [c.GovernanceSafe], [c.GovernanceSafe], ZeroAddress],
    SystemPause: [deployer],
    JobRegistry: [deployer, [c.StakeManager, c.ValidationModule, c.DisputeModule, c.ReputationEngine, c.FeePool], Object.values(s.jobRegistry)],
    StakeManager: [deployer, c.DisputeModule, named(s.stakeManager.treasury), s.stakeManager.minStake, s.stakeManager.feePct, s.stakeManager.burnPct],
    ValidationModule: [deployer, c.JobRegistry, c.StakeManager, ...Object.values(s.validationModule)],
    DisputeModule: [deployer, c.JobRegistry, c.StakeManager, c.ArbitratorCommittee],
    PlatformRegistry: [deployer, c.StakeManager, c.ReputationEngine, s.platformRegistry.minPlatformStake],
    FeePool: [deployer, named(s.feePool.treasury), s.feePool.burnPct],
    ReputationEngine: [deployer, [c.JobRegistry]],
    ArbitratorCommittee: [deployer, c.DisputeModule, roles.validators.map((index) => accounts[index])],
    Thermostat: [deployer, ...Object.values(s.thermostat)],
    RewardEngineMB: [deployer, c.Thermostat, c.FeePool, named(reward.treasury), reward.kappa, reward.maxProofs, reward.temperature, reward.roleShares],
  };
  return args[name] ?? [];
}

/** Modules go to SystemPause, which becomes their pauser; SystemPause and the two others go to the timelock. */
async function handOver(batch, c, settlers) {
  for (const name of modules) await batch.call(name, c[name], 'setPauserManager', [c.SystemPause]);
  for (const name of modules) await batch.call(name, c[name], 'transferOwnership', [c.SystemPause]);
  await batch.call('SystemPause', c.SystemPause, 'setModules', modules.map((name) => c[name]));
  await batch.call('SystemPause', c.SystemPause, 'refreshPausers');
  for (const settler of settlers) await batch.call('RewardEngineMB', c.RewardEngineMB, 'setSettler', [settler, true]);
  for (const name of ['SystemPause', 'Thermostat', 'RewardEngineMB']) {
    await batch.call(name, c[name], 'setGovernance', [c.TimelockController]);
  }
}

async function checkHandedOver(chain, deployer, c) {
  for (const name of [...modules, 'SystemPause', 'Thermostat', 'RewardEngineMB']) {
    const owner = await new Contract(c[name], interfaceOf(name), chain.provider).owner();
    const wanted = modules.includes(name) ? c.SystemPause : c.TimelockController;
    if (owner !== wanted) throw new Error(`${name} belongs to ${owner}, not to ${wanted}`);
  }
  const timelock = new Contract(c.TimelockController, interfaceOf('TimelockController'), chain.provider);
  for (const role of ['PROPOSER_ROLE', 'EXECUTOR_ROLE', 'CANCELLER_ROLE', 'DEFAULT_ADMIN_ROLE']) {
    if (await timelock.hasRole(await timelock[role](), deployer)) throw new Error(`the deployer still holds ${role}`);
  }
}

/** Deploys on `chain` and returns `{ network, chainId, generatedAt, contracts, settlers }`. */
async function deploy(chain, log = () => {}) {
  const s = settings();
  const deployer = chain.accounts[roles.deployer];
  const owners = roles.owners.map((index) => chain.accounts[index]);
  const settlers = [chain.accounts[roles.employer]];
  const nonce = Number(await chain.rpc('eth_getTransactionCount', [deployer, 'pending']));
  const initializer = safeSetup(owners, s.governance.threshold);
  const contracts = foresee(deployer, nonce, initializer);
  const batch = new Batch(chain, deployer, nonce);

  log(`deploying ${order.length} contracts and a ${s.governance.threshold}-of-${owners.length} Safe`);
  for (const name of order) {
    await batch.deploy(artifactName(name), constructorArgs(name, deployer, chain.accounts, contracts, s));
  }
  await batch.call('SafeProxyFactory', contracts.SafeProxyFactory, 'createProxyWithNonce', [contracts.SafeSingleton, initializer(contracts), nonce]);
  await batch.done();

  log('handing ownership to SystemPause and the timelock');
  await handOver(batch, contracts, settlers);
  await batch.done();
  await checkHandedOver(chain, deployer, contracts);
  for (const [name, address] of Object.entries(contracts)) contracts[name] = getAddress(address);
  return { network: chain.name, chainId: chain.chainId, generatedAt: new Date().toISOString(), contracts, settlers };
}

module.exports = { deploy, settings };
