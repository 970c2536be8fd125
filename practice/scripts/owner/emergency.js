// npm run owner:emergency: writes the emergency playbook. It is a document only: it pauses nothing and reads no chain.
'use strict';

const { parse } = require('../lib/args');
const { networkName } = require('../lib/chain');
const { interfaceOf, keyOf, modules } = require('../lib/contracts');
const { record } = require('../lib/deployment');
const { code, deliver, table } = require('../lib/output');
const { sets } = require('../lib/parameters');
const { at, readJson, run, toJson } = require('../lib/workspace');

const control = ({ contracts }) => {
  const module = (name) => {
    const owner = modules.includes(name) ? contracts.SystemPause : contracts.TimelockController;
    const type = interfaceOf(name).getFunction('governance') ? 'governable' : 'ownable';
    return { name: keyOf(name), type, address: contracts[name], owner, governance: contracts.TimelockController };
  };
  return {
    path: 'deployment-config/latest-deployment.anvil.json',
    defaultGovernance: contracts.TimelockController,
    defaultOwner: contracts.SystemPause,
    modules: ['SystemPause', 'Thermostat', 'RewardEngineMB', ...modules].map(module),
  };
};

const playbook = (network) => [
  {
    title: 'Record what is',
    objective: 'Keep the state of governance before anything is changed.',
    commands: [`npm run owner:atlas -- --network ${network} --out reports/${network}/astral-citadel/atlas-incident.md`, `npm run owner:dashboard -- --network ${network}`],
    validation: ['The dossier names the Safe, the timelock and the owner of every module.'],
    notes: ['Share the dossier with everybody who has to sign.'],
  },
  {
    title: 'Pause all modules',
    objective: 'Stop the eight modules through SystemPause.',
    commands: ['SystemPause.pauseAll() scheduled at the timelock by the Safe, then executed after the delay'],
    validation: ['paused() is true on each of the eight modules, read from the chain.'],
    notes: [
      'pauseAll is all or nothing: with one module paused already it reverts; then pause the others one by one through executeGovernanceCall.',
      'The timelock delay is the shortest possible reaction time.',
    ],
  },
  {
    title: 'Close the reward tap',
    objective: 'RewardEngineMB and Thermostat are not pausable: take the settlers off.',
    commands: ['RewardEngineMB.setSettler(settler, false) scheduled at the timelock for every settler'],
    validation: ['settlers(address) is false for every declared settler.'],
    notes: [],
  },
];

const followUp = (network) => [
  {
    title: 'Prepare the way back',
    objective: 'Unpause only when the cause is understood.',
    commands: [`npm run owner:pulse -- --network ${network}`],
    validation: ['Every line of the pulse is ok after unpauseAll.'],
    notes: ['Two signers review the plan to unpause.'],
  },
];

const insight = (name) => ({ name, path: sets[name].file, summary: readJson(at(sets[name].file)) });

function section({ title, objective, commands, validation, notes }) {
  const list = (head, items) => (items.length > 0 ? `${head}\n\n${items.map((item) => `- ${item}`).join('\n')}\n\n` : '');
  return `### ${title}\n\n${objective}\n\n${list('Do:', commands)}${list('Then check:', validation)}${list('Mind:', notes)}`;
}

function markdown(book) {
  const rows = book.ownerControl.modules.map(({ name, address, owner }) => [name, code(address), code(owner)]);
  const warnings = book.warnings.map((warning) => `> ${warning}\n`).join('');
  return `# Owner Emergency Runbook

- Generated: ${book.generatedAt}
- Network: ${book.network}

${warnings}
## Who controls what

${table(['Contract', 'Address', 'Owner'], rows)}

## Playbook

${book.playbook.map(section).join('')}## Afterwards

${book.followUp.map(section).join('')}`.trimEnd().concat('\n');
}

run(async () => {
  const { network, format = 'markdown', out } = parse(process.argv.slice(2), { network: 'value', format: 'value', out: 'value', 'no-mermaid': 'flag' });
  if (!['markdown', 'human', 'json'].includes(format)) throw new Error(`unknown format ${format}`);
  const name = networkName(network);
  const book = {
    generatedAt: new Date().toISOString(),
    network: name,
    ownerControl: control(record({ name })),
    configInsights: Object.keys(sets).map(insight),
    playbook: playbook(name),
    followUp: followUp(name),
    diagrams: { flow: 'flowchart TD\n  Incident --> Record --> Pause --> Settlers --> Review --> Unpause\n' },
    warnings: ['This document pauses nothing. Only the chain says whether the modules are paused.'],
  };
  deliver(format === 'json' ? toJson(book) : markdown(book), out);
});
