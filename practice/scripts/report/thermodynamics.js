// npm run thermodynamics:report: configuration beside chain for RewardEngineMB and Thermostat. As in the real checkout,
// drift exits 0.
'use strict';

const { parse } = require('../lib/args');
const { connect } = require('../lib/chain');
const { contract, record } = require('../lib/deployment');
const { deliver, table } = require('../lib/output');
const { compare } = require('../lib/parameters');
const { run, toJson } = require('../lib/workspace');

const kinds = ['match', 'drift', 'config-missing', 'contract-missing', 'skipped', 'error'];
const checkOf = (parameter, wanted, found) => ({ parameter, configValue: wanted, onChainValue: found, status: wanted === found ? 'match' : 'drift' });

async function hasCode(chain, deployment, name) {
  const address = deployment.contracts[name];
  return Boolean(address) && (await chain.rpc('eth_getCode', [address, 'latest'])) !== '0x';
}

async function section(chain, deployment, name, setName, more) {
  const { contracts } = deployment;
  if (!(await hasCode(chain, deployment, name))) {
    return { name, checks: [{ parameter: `${name} address`, configValue: contracts[name], status: 'contract-missing', notes: 'no code at this address' }] };
  }
  const owner = await contract(chain, deployment, name).governance();
  const compared = await compare(chain, deployment, setName);
  const checks = compared.map(({ label, desired, current }) => checkOf(label, desired.join(), current.join()));
  return { name, checks: [checkOf('Governance', contracts.TimelockController, owner), ...checks, ...(await more())] };
}

async function settlers(chain, deployment) {
  const engine = contract(chain, deployment, 'RewardEngineMB');
  const rows = deployment.settlers.map(async (settler) => checkOf(`Settler ${settler}`, 'true', String(await engine.settlers(settler))));
  return Promise.all(rows);
}

function summaryOf({ name, checks }) {
  const counts = Object.fromEntries(kinds.map((kind) => [kind, checks.filter(({ status }) => status === kind).length]));
  return { section: name, counts, total: checks.length };
}

function markdown({ network, generatedAt, sections }) {
  const rows = ({ checks }) => checks.map((check) => [check.parameter, check.configValue ?? '', check.onChainValue ?? '', check.status]);
  const blocks = sections.map((part) => `## ${part.name}\n\n${table(['Parameter', 'Configured', 'On chain', 'Status'], rows(part))}\n`);
  return `# Thermodynamics report\n\n- Network: ${network}\n- Generated: ${generatedAt}\n\n${blocks.join('\n')}`;
}

const human = ({ network, summary }) =>
  `Thermodynamics report for ${network}\n${summary.map(({ section: name, counts, total }) => `${name}: ${counts.match} of ${total} match, ${counts.drift} drift`).join('\n')}\n`;

run(async () => {
  const { env } = process;
  const { network } = parse(process.argv.slice(2), { network: 'value' });
  const format = env.THERMODYNAMICS_REPORT_FORMAT || env.THERMO_REPORT_FORMAT || 'human';
  const render = { json: toJson, markdown, human }[format];
  if (!render) throw new Error(`unknown format ${format}`);
  const chain = await connect(network);
  const deployment = record(chain);
  const sections = [
    await section(chain, deployment, 'RewardEngineMB', 'reward-engine', () => settlers(chain, deployment)),
    await section(chain, deployment, 'Thermostat', 'thermostat', () => []),
  ];
  const report = { network: chain.name, generatedAt: new Date().toISOString(), summary: sections.map(summaryOf), sections };
  deliver(render(report), env.THERMODYNAMICS_REPORT_OUT || env.THERMO_REPORT_OUT);
});
