// npm run orchestrator:simulate: asks the chain, by eth_call, whether the project plan could start now, and writes the
// risks it finds. Nothing is sent; a risk exits 0, because the document says it.
'use strict';

const path = require('node:path');
const { parse } = require('../lib/args');
const { connect, hex, revertData, revertName, roles } = require('../lib/chain');
const { contract, record } = require('../lib/deployment');
const { deliver } = require('../lib/output');
const { root, run, toJson } = require('../lib/workspace');
const { settings } = require('../lib/deploy');
const { plan } = require('./play');
const { id } = require('ethers');

const messages = {
  BUDGET_REQUIRED: 'The plan declares no reward.',
  OVER_BUDGET: 'The rewards exceed the declared budget.',
  INSUFFICIENT_BALANCE: 'An account cannot pay what its call sends.',
  JOB_BUDGET_CAP_EXCEEDED: 'A reward exceeds the maximum of the job registry.',
  JOB_DEADLINE_CAP_EXCEEDED: 'A deadline lies beyond the limit of the job registry.',
  RPC_TIMEOUT: 'The endpoint did not answer.',
  UNKNOWN_REVERT: 'A call of the plan would revert.',
};
const codeByRevert = { RewardOutOfBounds: 'JOB_BUDGET_CAP_EXCEEDED', DeadlineOutOfBounds: 'JOB_DEADLINE_CAP_EXCEEDED' };

/** Every call the mission opens with: the stakes, each job's escrow, and the epoch at its end. */
async function calls(chain, deployment, { stakes, jobs, epoch }) {
  const encode = (name, method, args) => {
    const target = contract(chain, deployment, name);
    return { to: target.target, data: target.interface.encodeFunctionData(method, args) };
  };
  const { timestamp } = await chain.provider.getBlock('latest');
  const staker = (tool, step, index, role, amount) => ({ step_id: step, tool, call: { from: chain.accounts[index], value: hex(amount), ...encode('StakeManager', 'depositStake', [role]) } });
  const post = (job) => ({
    step_id: `post-${job.id.toLowerCase()}`,
    tool: 'job.post',
    call: {
      from: chain.accounts[roles.employer],
      value: hex(job.reward),
      ...encode('JobRegistry', 'createJob', [timestamp + job.deadlineDays * 86_400, id(JSON.stringify(job)), 'project-plan.json']),
    },
  });
  const next = (await contract(chain, deployment, 'RewardEngineMB').latestEpoch()) + 1n;
  const settle = encode('RewardEngineMB', 'settleEpoch', [next, epoch.dH, epoch.dS, epoch.proofs]);
  return [
    staker('stake.deposit', 'stake-agent', roles.worker, 0, stakes.agent),
    ...roles.validators.map((index, n) => staker('stake.deposit', `stake-validator-${n + 1}`, index, 1, stakes.validator)),
    ...jobs.map(post),
    { step_id: 'settle-epoch', tool: 'epoch.settle', call: { from: deployment.settlers[0], value: '0x0', ...settle } },
  ];
}

async function simulate(chain, item) {
  try {
    const answer = await chain.rpc('eth_call', [item.call, 'latest']);
    const code = await chain.rpc('eth_getCode', [item.call.to, 'latest']);
    if (code === '0x') return { ...item, status: 'error', error: 'no code at the target', risk: 'UNKNOWN_REVERT' };
    const gas = BigInt(await chain.rpc('eth_estimateGas', [item.call]));
    return { ...item, status: 'ok', error: null, revert_reason: null, result: answer, gas };
  } catch (error) {
    return { ...item, status: 'error', ...diagnosis(error) };
  }
}

function diagnosis(error) {
  const said = error?.error?.message || error.shortMessage || error.message;
  if (/insufficient funds/i.test(said)) return { error: said, revert_reason: null, risk: 'INSUFFICIENT_BALANCE' };
  if (revertData(error) === null) return { error: said, revert_reason: null, risk: 'RPC_TIMEOUT' };
  const reason = revertName(error);
  return { error: said, revert_reason: reason, risk: codeByRevert[reason.split('(')[0]] ?? 'UNKNOWN_REVERT' };
}

function outcome({ jobs, budget, stakes }, simulated) {
  const total = jobs.reduce((sum, job) => sum + BigInt(job.reward), 0n);
  const s = settings();
  const percent = (pct) => ((total * BigInt(pct)) / 100n).toString();
  const codes = new Set(simulated.map(({ risk }) => risk).filter(Boolean));
  if (total === 0n) codes.add('BUDGET_REQUIRED');
  if (total > BigInt(budget.total)) codes.add('OVER_BUDGET');
  const risks = [...codes];
  const fees = percent(s.jobRegistry.feePct);
  return {
    est_budget: total.toString(),
    est_fees: fees,
    est_duration: 24 * Math.max(...jobs.map(({ deadlineDays }) => deadlineDays)),
    risks,
    confirmations: [`The mission puts ${total} wei into escrow for ${jobs.length} jobs.`, `The agent stakes ${stakes.agent} wei.`, `${simulated.length} calls were simulated.`],
    blockers: risks,
    chain_calls: simulated.map(({ risk, gas, ...call }) => call),
    total_gas_estimate: simulated.reduce((sum, { gas = 0n }) => sum + gas, 0n).toString(),
    total_fee_wei: null,
    fee_breakdown: { reward: total.toString(), protocol_fee: fees, burn_fee: percent(s.feePool.burnPct), total_budget: budget.total, est_fees: fees },
    risk_details: risks.map((code) => ({ code, message: messages[code] })),
    policy: {},
  };
}

run(async () => {
  const { network, out } = parse(process.argv.slice(2), { network: 'value', out: 'value' });
  const chain = await connect(network);
  const wanted = plan();
  const simulated = [];
  for (const item of await calls(chain, record(chain), wanted)) simulated.push(await simulate(chain, item));
  const result = outcome(wanted, simulated);
  deliver(toJson(result), out && path.resolve(root, out));
  process.stderr.write(`${simulated.length} calls simulated, blockers: ${result.blockers.join(', ') || 'none'}\n`);
});
