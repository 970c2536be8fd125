// What somebody does who takes governance over, one small change at a time: to the Safe, to the timelock. For tests and
// drills on Anvil only.
'use strict';

const { Interface, concat, id } = require('ethers');
const { act, confirm, roles, submit } = require('../lib/chain');
const { artifact } = require('../lib/contracts');
const { contract } = require('../lib/deployment');
const governance = require('../lib/governance');

const SENTINEL = '0x0000000000000000000000000000000000000001';

/** A call that a contract makes by itself, which only a development chain can be told. */
async function as(chain, who, target, method, args = []) {
  await chain.rpc('anvil_impersonateAccount', [who]);
  await chain.rpc('anvil_setBalance', [who, '0xde0b6b3a7640000']);
  try {
    return await act(chain, who, target, method, args);
  } finally {
    await chain.rpc('anvil_stopImpersonatingAccount', [who]);
  }
}

const asTimelock = (chain, deployment, name, method, args) =>
  as(chain, deployment.contracts.TimelockController, contract(chain, deployment, name), method, args);

const asSafe = (chain, deployment, method, args) =>
  as(chain, deployment.contracts.GovernanceSafe, contract(chain, deployment, 'GovernanceSafe'), method, args);

const stranger = (chain) => chain.accounts[roles.stranger];

async function deploy(chain, code) {
  const { contractAddress } = await confirm(chain, await submit(chain, stranger(chain), { data: code, gas: 8_000_000n }));
  return contractAddress;
}

/** Creation code that leaves `runtime`, of fewer than 256 bytes, at the new address. */
const creation = (runtime) => concat([`0x60${((runtime.length - 2) / 2).toString(16).padStart(2, '0')}80600a5f395ff3fe`, runtime]);

async function swapOwner(chain, deployment) {
  const owners = await contract(chain, deployment, 'GovernanceSafe').getOwners();
  return asSafe(chain, deployment, 'swapOwner', [SENTINEL, owners[0], stranger(chain)]);
}

async function setGuard(chain, deployment) {
  return asSafe(chain, deployment, 'setGuard', [await deploy(chain, artifact('DebugTransactionGuard').bytecode)]);
}

/**
 * The owners sign `transfer(address,uint256)` as a delegatecall of a contract that writes the first argument into slot 0.
 * The new singleton answers 1 to everything.
 */
async function replaceSingleton(chain, deployment) {
  const trojan = await deploy(chain, creation('0x6004355f5500'));
  const singleton = await deploy(chain, creation('0x60015f5260205ff3'));
  const data = new Interface(['function transfer(address,uint256)']).encodeFunctionData('transfer', [singleton, 0]);
  return governance.execute(chain, deployment, { to: trojan, data, operation: 1 });
}

const takeovers = {
  'swap-owner': swapOwner,
  'lower-threshold': (chain, deployment) => asSafe(chain, deployment, 'changeThreshold', [1]),
  'enable-module': (chain, deployment) => asSafe(chain, deployment, 'enableModule', [stranger(chain)]),
  'set-guard': setGuard,
  'replace-singleton': replaceSingleton,
  'shorten-delay': (chain, deployment) => asTimelock(chain, deployment, 'TimelockController', 'updateDelay', [0]),
  'grant-role': (chain, deployment) =>
    asTimelock(chain, deployment, 'TimelockController', 'grantRole', [id('PROPOSER_ROLE'), stranger(chain)]),
};

module.exports = { asTimelock, takeovers };
