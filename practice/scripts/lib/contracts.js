// Finds the ABI and bytecode of every contract by its name: ours from build/, OpenZeppelin's and Safe's from npm.
'use strict';

const { Interface } = require('ethers');
const { at, readJson } = require('./workspace');
const { compile } = require('./compile');

const safe = (file) => ['@safe-global', 'safe-contracts', 'build', 'artifacts', 'contracts', ...file];
const installed = {
  TimelockController: ['@openzeppelin', 'contracts', 'build', 'contracts', 'TimelockController.json'],
  Safe: safe(['Safe.sol', 'Safe.json']),
  SafeProxy: safe(['proxies', 'SafeProxy.sol', 'SafeProxy.json']),
  SafeProxyFactory: safe(['proxies', 'SafeProxyFactory.sol', 'SafeProxyFactory.json']),
  MultiSendCallOnly: safe(['libraries', 'MultiSendCallOnly.sol', 'MultiSendCallOnly.json']),
  DebugTransactionGuard: safe(['examples', 'guards', 'DebugTransactionGuard.sol', 'DebugTransactionGuard.json']),
  CompatibilityFallbackHandler: safe(['handler', 'CompatibilityFallbackHandler.sol', 'CompatibilityFallbackHandler.json']),
};

/** The eight modules that SystemPause stops, in the order of its `setModules`. */
const modules = [
  'JobRegistry',
  'StakeManager',
  'ValidationModule',
  'DisputeModule',
  'PlatformRegistry',
  'FeePool',
  'ReputationEngine',
  'ArbitratorCommittee',
];
const names = () => [...modules, 'SystemPause', 'Thermostat', 'RewardEngineMB'];

/** `JobRegistry` as dashboards and documents spell it: `jobRegistry`; RewardEngineMB is `rewardEngine` there. */
const keyOf = (name) => name[0].toLowerCase() + name.slice(1).replace(/MB$/, '');

let compiled;
function artifact(name) {
  if (installed[name]) return readJson(at('node_modules', ...installed[name]));
  compiled ??= compile((line) => process.stderr.write(`${line}\n`));
  if (!compiled[name]) throw new Error(`no contract named ${name}`);
  return compiled[name];
}

const faces = new Map();
function interfaceOf(name) {
  if (!faces.has(name)) faces.set(name, new Interface(artifact(name).abi));
  return faces.get(name);
}

module.exports = { artifact, interfaceOf, modules, names, keyOf };
