// npm run owner:atlas: writes the governance dossier, read from the chain: Safe, timelock, and who owns what. It judges
// nothing and changes nothing.
'use strict';

const { parse } = require('../lib/args');
const { connect } = require('../lib/chain');
const { demandCode, record } = require('../lib/deployment');
const { code, deliver, table } = require('../lib/output');
const { compare, sets } = require('../lib/parameters');
const { posture } = require('../lib/posture');
const { run, toJson } = require('../lib/workspace');

const topology = `\`\`\`mermaid
flowchart TD
  Owners[Safe owners] --> Safe[Governance Safe]
  Safe -->|schedule, execute| Timelock[TimelockController]
  Timelock --> SystemPause
  Timelock --> Thermostat
  Timelock --> RewardEngineMB
  SystemPause -->|owner and pauser| Modules[Eight modules]
\`\`\``;

function markdown({ network, chainId, generatedAt, posture: read, parameters }) {
  const { safe, timelock, systemPause, modules, others } = read;
  const governance = [
    ['Safe', code(safe.address), `${safe.threshold} of ${safe.owners.length} owners, version ${safe.version}, next nonce ${safe.nonce}`],
    ['Timelock', code(timelock.address), `minimum delay ${timelock.minDelaySeconds} s; the Safe proposes, cancels and executes`],
    ['SystemPause', code(systemPause.address), `governance ${code(systemPause.governance)}, active pauser ${code(systemPause.activePauser)}`],
  ];
  const owners = safe.owners.map((owner, index) => [String(index + 1), code(owner)]);
  const owned = modules.map((m) => [m.name, code(m.address), m.type, code(m.owner), code(m.pauser), m.paused ? 'paused' : 'running']);
  const governed = others.map((m) => [m.name, code(m.address), code(m.governance), 'not pausable']);
  const tuned = parameters.map((p) => [p.module, p.label, p.current.join(', '), p.desired.join(', '), p.matches ? 'match' : 'drift']);
  return `# Owner Control Atlas

- Generated: ${generatedAt}
- Network: ${network}
- Chain id: ${chainId}

## Topology

${topology}

## Governance

${table(['Surface', 'Address', 'State'], governance)}

## Safe owners

${table(['#', 'Owner'], owners)}

## Modules under SystemPause

${table(['Module', 'Address', 'Kind', 'Owner', 'Pauser', 'State'], owned)}

## Governed directly by the timelock

${table(['Contract', 'Address', 'Governance', 'Pause'], governed)}

## Configuration

${table(['Module', 'Parameter', 'On chain', 'Configured', 'Status'], tuned)}
`;
}

run(async () => {
  const { network, out, format = 'markdown' } = parse(process.argv.slice(2), { network: 'value', out: 'value', format: 'value', 'no-mermaid': 'flag' });
  if (!['markdown', 'human', 'json'].includes(format)) throw new Error(`unknown format ${format}`);
  const chain = await connect(network);
  const deployment = record(chain);
  await demandCode(chain, deployment);
  const parameters = (await Promise.all(Object.keys(sets).map((name) => compare(chain, deployment, name)))).flat();
  const atlas = {
    network: chain.name,
    chainId: chain.chainId,
    generatedAt: new Date().toISOString(),
    posture: await posture(chain, deployment),
    parameters,
  };
  deliver(format === 'json' ? toJson(atlas) : markdown(atlas), out);
});
