// npm run monitoring:validate: checks the sentinels in monitoring/onchain against the deployed contracts. It contacts no
// monitoring service.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { ZeroAddress, isAddress } = require('ethers');
const { parse } = require('../lib/args');
const { connect } = require('../lib/chain');
const { interfaceOf, modules, names } = require('../lib/contracts');
const { record } = require('../lib/deployment');
const { at, readJson, run, toJson, writeFile } = require('../lib/workspace');

const severities = ['CRITICAL', 'HIGH', 'MEDIUM', 'LOW'];
const placeholder = (name) => `{{${name.replace(/([a-z])([A-Z])/g, '$1_$2').toUpperCase()}}}`;

/** The contract that a placeholder like {{JOB_REGISTRY}} stands for. */
function resolve(word, deployment) {
  const name = [...names(), 'TimelockController', 'GovernanceSafe'].find((candidate) => placeholder(candidate) === word);
  return { name: name ?? null, address: name ? deployment.contracts[name] : word };
}

async function addressView(chain, deployment, word) {
  const { name, address } = resolve(word, deployment);
  if (!isAddress(address) || address === ZeroAddress) return { name, address, hasCode: false };
  const code = await chain.rpc('eth_getCode', [address, 'latest']);
  return { name, address, hasCode: code !== '0x' };
}

/** True when at least one watched contract really emits the event. */
function emitted(signature, addresses) {
  return addresses.some(({ name }) => {
    if (!name) return false;
    const face = interfaceOf(name === 'GovernanceSafe' ? 'Safe' : name);
    let found = false;
    face.forEachEvent((event) => {
      found ||= event.format('sighash') === signature;
    });
    return found;
  });
}

function conditionErrors(condition, sentinel, addresses) {
  const { event, severity, notificationChannels = [] } = condition;
  const declared = sentinel.abi.some(({ type, name, inputs }) => type === 'event' && `${name}(${inputs.map((input) => input.type).join(',')})` === event);
  return [
    declared ? null : `${event} is not in the sentinel's ABI`,
    emitted(event, addresses) ? null : `no watched contract emits ${event}`,
    severities.includes(severity) ? null : `${event} has severity ${severity}`,
    notificationChannels.length > 0 ? null : `${event} notifies nobody`,
  ].filter(Boolean);
}

async function validate(chain, deployment, file) {
  const sentinel = readJson(at('monitoring', 'onchain', file));
  const addresses = await Promise.all((sentinel.addresses ?? []).map((word) => addressView(chain, deployment, word)));
  const bare = addresses.filter(({ hasCode }) => !hasCode).map(({ address }) => `no code at ${address}`);
  const errors = [...bare, ...(sentinel.conditions ?? []).flatMap((condition) => conditionErrors(condition, sentinel, addresses))];
  if (addresses.length === 0) errors.push('watches no address');
  if (!sentinel.conditions?.length) errors.push('has no condition');
  const conditions = sentinel.conditions.map(({ event, severity }) => ({ event, severity }));
  return { file: `monitoring/onchain/${file}`, name: sentinel.name, addresses, conditions, errors };
}

/** The modules that no sentinel watches for Paused. */
function uncovered(sentinels) {
  const watching = sentinels.filter(({ conditions }) => conditions.some(({ event }) => event === 'Paused(address)'));
  const covered = new Set(watching.flatMap(({ addresses }) => addresses.filter(({ hasCode }) => hasCode).map(({ name }) => name)));
  return modules.filter((name) => !covered.has(name));
}

run(async () => {
  const { network, json, out } = parse(process.argv.slice(2), { network: 'value', json: 'flag', out: 'value' });
  const chain = await connect(network);
  const deployment = record(chain);
  const files = fs.readdirSync(at('monitoring', 'onchain')).filter((file) => file.endsWith('.json')).sort();
  const sentinels = await Promise.all(files.map((file) => validate(chain, deployment, file)));
  const missing = uncovered(sentinels);
  const errors = [...sentinels.flatMap(({ file, errors: own }) => own.map((error) => `${file}: ${error}`)), ...missing.map((name) => `no sentinel watches the pause of ${name}`)];
  const coverage = { modules: modules.length, covered: modules.length - missing.length, missing };
  const summary = { network: chain.name, chainId: chain.chainId, generatedAt: new Date().toISOString(), valid: errors.length === 0, sentinels, coverage, errors };
  if (out) writeFile(path.resolve(at(), out), toJson(summary));
  if (json) process.stdout.write(toJson(summary));
  else {
    console.log('Sentinel validation summary:');
    for (const { file, addresses } of sentinels) console.log(`- ${file}: ${addresses.length} addresses resolved`);
    console.log(errors.length === 0 ? '\nAll sentinel templates validated successfully.' : `\n${errors.join('\n')}`);
  }
  if (errors.length > 0) process.exitCode = 1;
});
