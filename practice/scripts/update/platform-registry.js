// npm run platform:registry:update: tunes PlatformRegistry to config/platform-registry.json. It registers nobody.
'use strict';

const { run } = require('../lib/workspace');
const { retune } = require('./retune');

run(() => retune('platform-registry'));
