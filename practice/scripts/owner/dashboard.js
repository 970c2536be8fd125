// npm run owner:dashboard: shows every contract's state beside the configuration. As in the real checkout, a module that
// cannot be read is shown as an error and the exit code stays 0.
'use strict';

const { parse } = require('../lib/args');
const { connect } = require('../lib/chain');
const { dashboard } = require('../lib/dashboard');
const { record } = require('../lib/deployment');
const { run, toJson } = require('../lib/workspace');

function human({ network, modules, differences }) {
  const lines = ['Owner Control Dashboard', `Network: ${network.name} (chainId: ${network.chainId})`];
  for (const { key, address, metrics } of modules) {
    lines.push('', key, `  address: ${address}`, ...metrics.map(({ label, value }) => `  ${label}: ${value}`));
  }
  const changes = differences.map(({ module, parameter, current, desired }) => `  ${module} ${parameter}: ${current} -> ${desired}`);
  return `${[...lines, '', `differences from the configuration: ${changes.length}`, ...changes].join('\n')}\n`;
}

run(async () => {
  const { network } = parse(process.argv.slice(2), { network: 'value' });
  const chain = await connect(network);
  const view = await dashboard(chain, record(chain));
  const json = /^(1|true)$/.test(process.env.OWNER_DASHBOARD_JSON ?? '');
  process.stdout.write(json ? toJson(view) : human(view));
});
