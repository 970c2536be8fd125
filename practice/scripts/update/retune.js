// Brings one set of parameters in line with its config file: Safe, timelock, wait, execute. The receipt is written
// after every step, so that it never claims less than what landed.
'use strict';

const { parse } = require('../lib/args');
const { connect } = require('../lib/chain');
const { demandCode, record } = require('../lib/deployment');
const governance = require('../lib/governance');
const { compare, current } = require('../lib/parameters');
const { reports, shown, writeJson } = require('../lib/workspace');

function receiptOf(chain, name) {
  const file = reports(chain.name, 'updates', `${name}.json`);
  const receipt = { network: chain.name, chainId: chain.chainId, actions: [] };
  const save = () => writeJson(file, receipt);
  save();
  return { file, receipt, save };
}

async function schedule(chain, deployment, parameter) {
  const { module, method, prefix, desired, label } = parameter;
  const call = governance.governanceCall(deployment, module, method, [...prefix, ...desired]);
  const op = await governance.operation(chain, deployment, call, label);
  const { hash } = await governance.execute(chain, deployment, governance.scheduleCall(op));
  console.log(`scheduled  ${label}: ${module}.${method} in ${hash}`);
  return { parameter, op, scheduleTxHash: hash };
}

async function land(chain, deployment, { parameter, op, scheduleTxHash }) {
  await governance.untilReady(chain, op);
  const { hash } = await governance.execute(chain, deployment, governance.executeCall(op));
  const after = (await current(chain, deployment, parameter)).join();
  console.log(`executed   ${parameter.label}: ${parameter.current.join()} -> ${after} in ${hash}`);
  return {
    label: parameter.label,
    method: parameter.method,
    target: deployment.contracts[parameter.module],
    before: parameter.current.join(),
    after,
    desired: parameter.desired.join(),
    txHash: hash,
    scheduleTxHash,
    operationId: op.id,
  };
}

/** Runs the update named after its parameter set. */
async function retune(name) {
  const { network } = parse(process.argv.slice(2), { network: 'value' });
  const chain = await connect(network);
  const deployment = record(chain);
  await demandCode(chain, deployment);
  const { file, receipt, save } = receiptOf(chain, name);

  const drift = (await compare(chain, deployment, name)).filter((parameter) => !parameter.matches);
  const fixed = drift.filter((parameter) => !parameter.method);
  if (fixed.length > 0) throw new Error(`no setter for ${fixed.map(({ label }) => label).join(', ')}`);
  if (drift.length === 0) console.log(`${name}: the chain already matches the configuration, nothing to change`);

  const scheduled = [];
  for (const parameter of drift) scheduled.push(await schedule(chain, deployment, parameter));
  for (const item of scheduled) {
    receipt.actions.push(await land(chain, deployment, item));
    save();
  }
  const missed = receipt.actions.filter(({ after, desired }) => after !== desired);
  if (missed.length > 0) throw new Error(`the chain does not hold the wanted value of ${missed.map(({ label }) => label).join(', ')}`);
  console.log(`wrote ${shown(file)} (${receipt.actions.length} actions)`);
}

module.exports = { retune };
