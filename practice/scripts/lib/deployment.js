// Reads the deployment record that `make setup` wrote and hands out contracts by name. It never invents an address.
'use strict';

const fs = require('node:fs');
const { ZeroAddress } = require('ethers');
const { at, readJson } = require('./workspace');
const { contractAt } = require('./chain');
const { artifact, names } = require('./contracts');

const abiName = (name) => ({ SafeSingleton: 'Safe', GovernanceSafe: 'Safe' })[name] ?? name;

function record(chain) {
  const file = at('deployment-config', `latest-deployment.${chain.name}.json`);
  if (!fs.existsSync(file)) throw new Error('no deployment record; run make setup');
  return readJson(file);
}

/** A contract of the deployment, ready to be read. */
function contract(chain, deployment, name) {
  const address = deployment.contracts[name];
  if (!address || address === ZeroAddress) throw new Error(`no address for ${name} in the deployment record`);
  return contractAt(chain, abiName(name), address);
}

/** Demands code at every contract that this workspace wrote, so that nobody reads an empty chain as truth. */
async function demandCode(chain, deployment) {
  artifact('SystemPause');
  for (const name of [...names(), 'TimelockController', 'GovernanceSafe']) {
    const code = await chain.rpc('eth_getCode', [deployment.contracts[name], 'latest']);
    if (code === '0x') throw new Error(`no code at ${name} ${deployment.contracts[name]}; run make setup for this chain`);
  }
}

module.exports = { record, contract, demandCode };
