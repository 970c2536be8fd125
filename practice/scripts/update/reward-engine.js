// npm run reward-engine:update: tunes RewardEngineMB to config/reward-engine.json. It never settles an epoch.
'use strict';

const { fault, run } = require('../lib/workspace');
const { retune } = require('./retune');

run(async () => {
  if (fault('prompt')) {
    process.stdout.write('Proceed with the transaction? [y/N] ');
    return;
  }
  await retune('reward-engine');
});
