// npm run practice:act -- ACTION: does to the local chain what an incident would do, or governance against one. For tests
// and drills on Anvil only. Incidents impersonate the timelock; `safe FILE` and `govern` take governance's own road.
'use strict';

const { readFileSync } = require('node:fs');
const { ZeroAddress, concat, getAddress, id, toBeHex, zeroPadValue } = require('ethers');
const { connect } = require('../lib/chain');
const { interfaceOf, modules } = require('../lib/contracts');
const { contract, record } = require('../lib/deployment');
const governance = require('../lib/governance');
const { run } = require('../lib/workspace');
const { asTimelock, takeovers } = require('./takeovers');

const usage = `usage: practice:act -- pause|unpause MODULE|all, set-governance ADDRESS, clear-code CONTRACT, bool-two MODULE, ${Object.keys(takeovers).join(', ')}, remove-pauser MODULE, safe FILE, govern MODULE.METHOD(INTEGER)`;

/** A call of a module's method by its owner, SystemPause. */
function ofModule(chain, deployment, name, method, args = []) {
  if (!modules.includes(name)) throw new Error(`no module ${name}; modules: ${modules.join(' ')}`);
  const data = interfaceOf(name).encodeFunctionData(method, args);
  return asTimelock(chain, deployment, 'SystemPause', 'executeGovernanceCall', [deployment.contracts[name], data]);
}

const switchModules = (method) => (chain, deployment, name) =>
  name === 'all' ? asTimelock(chain, deployment, 'SystemPause', `${method}All`) : ofModule(chain, deployment, name, method);

/** A new code at an address counts from the next block on, so one is mined. */
async function setCode(chain, address, code) {
  await chain.rpc('anvil_setCode', [address, code]);
  await chain.rpc('evm_mine');
}

function clearCode(chain, deployment, name) {
  const address = deployment.contracts[name];
  if (!address) throw new Error(`no contract ${name}`);
  return setCode(chain, address, '0x');
}

/**
 * Code that answers `paused()` with the word 2 and delegates every other call to the module's own code, kept elsewhere.
 * Its first half compares the selector and forwards; its second half returns what came back, or the word.
 */
const boolTwoCode = (elsewhere) => concat(['0x5f3560e01c635c975abb14603b57365f5f375f5f365f73', elsewhere, '0x5af43d5f5f3e6037573d5ffd5b3d5ff35b60025f5260205ff3']);

async function boolTwo(chain, deployment, name) {
  if (!modules.includes(name)) throw new Error(`no module ${name}; modules: ${modules.join(' ')}`);
  const { target } = contract(chain, deployment, name);
  const elsewhere = getAddress(zeroPadValue(toBeHex(BigInt(id(`bool-two:${target}`)) >> 96n), 20));
  const own = await chain.rpc('eth_getCode', [target, 'latest']);
  if ((await chain.rpc('eth_getCode', [elsewhere, 'latest'])) === '0x') await chain.rpc('anvil_setCode', [elsewhere, own]);
  await setCode(chain, target, boolTwoCode(elsewhere));
}

/** Each transaction of a Safe Transaction Builder file, confirmed by the owners and executed; a timelock's delay is waited for. */
async function safeFile(chain, deployment, file) {
  const { chainId, transactions } = JSON.parse(readFileSync(file, 'utf8'));
  if (Number(chainId) !== chain.chainId) throw new Error(`the file is for chain ${chainId}`);
  for (const { to, data, contractMethod, contractInputsValues: given } of transactions) {
    if (contractMethod.name === 'execute') {
      const timelock = contract(chain, deployment, 'TimelockController');
      const op = await timelock.hashOperation(given.target, given.value, given.payload, given.predecessor, given.salt);
      await governance.untilReady(chain, { timelock, id: op });
      await chain.rpc('evm_mine');
    }
    const { hash } = await governance.execute(chain, deployment, { to, data });
    console.log(`executed  ${contractMethod.name} in ${hash}`);
  }
}

/** A setter of a module with one integer, by the Safe, the timelock and SystemPause; prints the transaction that did it. */
async function govern(chain, deployment, call) {
  const [, module, method, value] = call.match(/^(\w+)\.(\w+)\((\d+)\)$/) ?? [];
  if (!modules.includes(module)) throw new Error(`no call ${call}; write MODULE.METHOD(INTEGER)`);
  const wrapped = governance.governanceCall(deployment, module, method, [value]);
  const op = await governance.operation(chain, deployment, wrapped, call);
  await governance.execute(chain, deployment, governance.scheduleCall(op));
  await governance.untilReady(chain, op);
  const { hash } = await governance.execute(chain, deployment, governance.executeCall(op));
  console.log(`transaction ${hash}`);
}

const actions = {
  pause: switchModules('pause'),
  unpause: switchModules('unpause'),
  'set-governance': (chain, deployment, address) => asTimelock(chain, deployment, 'SystemPause', 'setGovernance', [getAddress(address)]),
  'clear-code': clearCode,
  'bool-two': boolTwo,
  'remove-pauser': (chain, deployment, name) => ofModule(chain, deployment, name, 'setPauser', [ZeroAddress]),
  ...takeovers,
  safe: safeFile,
  govern,
};

run(async () => {
  const [name, subject, ...rest] = process.argv.slice(2);
  if (!actions[name] || !(subject || takeovers[name]) || rest.length > 0) throw new Error(usage);
  const chain = await connect();
  await actions[name](chain, record(chain), subject);
  console.log(`done: ${[name, subject].filter(Boolean).join(' ')}`);
});
