// npm run thermostat:update: tunes Thermostat to config/thermodynamics.json. It never ticks the controller.
'use strict';

const { fault, run } = require('../lib/workspace');
const { retune } = require('./retune');

run(async () => {
  await retune('thermostat');
  if (fault('exit-1-after-tx')) throw new Error('Transaction failed');
});
