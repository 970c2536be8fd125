// npm run demo:asi-global: plays the mission on $ANVIL_RPC_URL for NETWORK. It never deploys anything.
'use strict';

const fs = require('node:fs');
const { connect } = require('../lib/chain');
const { demandCode, record } = require('../lib/deployment');
const { reports, run, shown } = require('../lib/workspace');
const { play } = require('./play');

run(async () => {
  const { NETWORK: network } = process.env;
  if (!network) throw new Error('NETWORK is not set; usage: NETWORK=anvil make -C demo/astral-citadel mission');
  const chain = await connect(network);
  const deployment = record(chain);
  await demandCode(chain, deployment);
  const folder = reports(network, 'receipts');
  fs.rmSync(folder, { recursive: true, force: true });
  await play(chain, deployment, network, folder);
  console.log(`receipts in ${shown(folder)}`);
});
