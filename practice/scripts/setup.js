// Makes a fresh local chain ready for a rehearsal: compiles, deploys, hands over, makes signers' keys and writes the
// deployment record. It never touches another chain.
'use strict';

const { artifact } = require('./lib/contracts');
const { at, run, shown, writeJson } = require('./lib/workspace');
const { connect } = require('./lib/chain');
const { deploy } = require('./lib/deploy');
const { ensure } = require('./lib/keys');

run(async () => {
  const ready = process.argv.includes('--compile-only');
  artifact('SystemPause');
  if (ready) return console.log('ready: dependencies installed, contracts compiled');
  const chain = await connect();
  console.log(`chain ${chain.chainId} answers`);
  const { settlers, ...record } = await deploy(chain, console.log);
  record.signers = { governance: ensure() };
  record.settlers = settlers;
  const file = writeJson(at('deployment-config', `latest-deployment.${chain.name}.json`), record);
  console.log(`wrote ${shown(file)}`);
});
