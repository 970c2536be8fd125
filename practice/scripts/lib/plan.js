// Works out what governance still has to change in JobRegistry and FeePool, and wraps each change as a timelock
// operation. It only reads; sending is left to the Safe's owners.
'use strict';

const { roles } = require('./chain');
const { interfaceOf } = require('./contracts');
const { contract } = require('./deployment');
const governance = require('./governance');
const { compare, sets } = require('./parameters');

const planned = { JobRegistry: 'job-registry', FeePool: 'fee-pool' };
const described = ({ name, type }) => ({ name, type });

async function action(chain, deployment, parameter) {
  const { module, method, label, prefix } = parameter;
  const args = [...prefix, ...parameter.desired];
  const call = governance.governanceCall(deployment, module, method, args);
  const op = await governance.operation(chain, deployment, call, label);
  const schedule = governance.scheduleCall(op);
  const fragment = interfaceOf(module).getFunction(method);
  return {
    label: `${label}: ${parameter.current.join()} to ${parameter.desired.join()}`,
    method,
    args,
    current: parameter.current.join(),
    desired: parameter.desired.join(),
    calldata: call.inner,
    to: deployment.contracts[module],
    value: '0',
    signature: fragment.format('sighash'),
    functionName: method,
    stateMutability: fragment.stateMutability,
    inputs: fragment.inputs.map(described),
    governanceCall: { to: op.to, calldata: op.data },
    timelock: { to: schedule.to, calldata: schedule.data, operationId: op.id, salt: op.salt, delay: op.delay.toString() },
  };
}

/** The plan document: one entry for each module that has something to change. */
async function ownerPlan(chain, deployment) {
  const planModules = [];
  for (const [module, setName] of Object.entries(planned)) {
    const drift = (await compare(chain, deployment, setName)).filter(({ matches, method }) => !matches && method);
    if (drift.length === 0) continue;
    const owner = await contract(chain, deployment, module).owner();
    const actions = await Promise.all(drift.map((parameter) => action(chain, deployment, parameter)));
    planModules.push({ module, address: deployment.contracts[module], owner, configPath: sets[setName].file, actions });
  }
  return {
    network: chain.name,
    chainId: chain.chainId,
    signer: chain.accounts[roles.deployer],
    generatedAt: new Date().toISOString(),
    modules: planModules,
    totalActions: planModules.reduce((sum, { actions }) => sum + actions.length, 0),
  };
}

/** One Safe transaction: the Safe schedules the action at the timelock. */
function bundleTransaction({ label, timelock }) {
  const fragment = interfaceOf('TimelockController').getFunction('schedule');
  const values = interfaceOf('TimelockController').decodeFunctionData('schedule', timelock.calldata);
  const names = fragment.inputs.map(({ name }, index) => [name, String(values[index])]);
  return {
    to: timelock.to,
    value: '0',
    data: timelock.calldata,
    description: `Schedule through the timelock: ${label}`,
    contractInputsValues: Object.fromEntries(names),
    contractMethod: {
      name: 'schedule',
      payable: false,
      stateMutability: fragment.stateMutability,
      inputs: fragment.inputs.map(described),
    },
  };
}

function safeBundle(plan, { name, description }) {
  return {
    version: '1.0',
    chainId: plan.chainId,
    createdAt: plan.generatedAt,
    meta: { name, description, txBuilderVersion: '1.16.6' },
    transactions: plan.modules.flatMap(({ actions }) => actions.map(bundleTransaction)),
  };
}

module.exports = { ownerPlan, safeBundle };
