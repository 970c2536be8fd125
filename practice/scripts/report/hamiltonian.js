// npm run hamiltonian:report: the energy of every settled epoch, from RewardEngineMB's events. As in the real checkout it
// takes no --network; HARDHAT_NETWORK selects the chain, and no events is not an error.
'use strict';

const { formatUnits, getAddress } = require('ethers');
const { parse } = require('../lib/args');
const { connect, contractAt } = require('../lib/chain');
const { deliver, table } = require('../lib/output');
const { run, toJson } = require('../lib/workspace');

const spec = { engine: 'value', from: 'value', to: 'value', lambda: 'value', format: 'value', out: 'value', limit: 'value', order: 'value', timestamps: 'flag' };
const UNIT = 10n ** 18n;
const WAD = 18;

/** H = dH - lambda dS; the free energy uses the temperature of that epoch. */
function entryOf(event, lambda) {
  const { epoch, budget, dH, dS, systemTemperature, dust } = event.args;
  return {
    epoch,
    budget,
    dH,
    dS,
    systemTemperature,
    leftover: dust,
    h: dH - lambda * dS,
    freeEnergy: dH - (systemTemperature * dS) / UNIT,
    blockNumber: event.blockNumber,
    txHash: event.transactionHash,
  };
}

const least = (values) => values.reduce((a, b) => (b < a ? b : a));
const most = (values) => values.reduce((a, b) => (b > a ? b : a));
const sum = (values) => values.reduce((a, b) => a + b, 0n);

function statsOf(entries) {
  if (entries.length === 0) return { totalBudget: 0n, totalH: 0n };
  const h = entries.map((entry) => entry.h);
  const free = entries.map((entry) => entry.freeEnergy);
  const budgets = entries.map((entry) => entry.budget);
  const count = BigInt(entries.length);
  const number = (value) => Number(formatUnits(value, WAD));
  return {
    firstEpoch: least(entries.map((entry) => entry.epoch)),
    latestEpoch: most(entries.map((entry) => entry.epoch)),
    totalBudget: sum(budgets),
    averageBudget: sum(budgets) / count,
    totalH: sum(h),
    averageH: sum(h) / count,
    minH: least(h),
    maxH: most(h),
    minFree: least(free),
    maxFree: most(free),
    driftAverage: number(sum(h) / count),
    driftMin: number(least(h)),
    driftMax: number(most(h)),
  };
}

const cells = (entry) => [entry.epoch, formatUnits(entry.budget, WAD), entry.dH, entry.dS, entry.systemTemperature, entry.h, entry.freeEnergy, entry.blockNumber, entry.txHash].map(String);
const head = ['Epoch', 'Budget', 'dH', 'dS', 'Temperature', 'H', 'Free energy', 'Block', 'Transaction'];

const renderers = {
  json: toJson,
  csv: ({ entries }) => `${[head, ...entries.map(cells)].map((row) => row.join(',')).join('\n')}\n`,
  markdown: ({ metadata, entries }) => `# Hamiltonian report\n\n- Engine: \`${metadata.engine}\`\n- Events: ${metadata.totalEvents}\n\n${table(head, entries.map(cells))}\n`,
  human: ({ metadata, stats, entries }) => `Engine: ${metadata.engine}\nEvents analysed: ${metadata.totalEvents}\nTotal H: ${stats.totalH}\n${entries.map((entry) => cells(entry).join('  ')).join('\n')}\n`,
};

run(async () => {
  const options = parse(process.argv.slice(2), spec);
  const render = renderers[options.format ?? 'human'];
  if (!render) throw new Error(`unknown format ${options.format}`);
  if (!options.engine) throw new Error('--engine is required');
  const chain = await connect();
  const engine = contractAt(chain, 'RewardEngineMB', getAddress(options.engine));
  const fromBlock = Number(options.from ?? 0);
  const toBlock = Number(options.to ?? (await chain.provider.getBlockNumber()));
  const lambda = BigInt(options.lambda ?? 1);
  const found = await engine.queryFilter('EpochSettled', fromBlock, toBlock);
  const order = options.order === 'desc' ? 'desc' : 'asc';
  let entries = found.map((event) => entryOf(event, lambda));
  if (options.timestamps) {
    for (const entry of entries) entry.timestamp = (await chain.provider.getBlock(entry.blockNumber)).timestamp;
  }
  const stats = statsOf(entries);
  if (order === 'desc') entries.reverse();
  if (options.limit) entries = entries.slice(0, Number(options.limit));
  const metadata = {
    engine: engine.target,
    lambda: lambda.toString(),
    decimals: WAD,
    unitLabel: '$AGIALPHA',
    fromBlock,
    toBlock,
    totalEvents: found.length,
    generatedAt: new Date().toISOString(),
    order,
  };
  deliver(render({ metadata, stats, entries }), options.out);
});
