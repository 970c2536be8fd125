// npm run owner:plan:safe: writes the governance plan and the Safe bundle that would carry it out. It sends nothing.
'use strict';

const path = require('node:path');
const { parse } = require('../lib/args');
const { connect } = require('../lib/chain');
const { demandCode, record } = require('../lib/deployment');
const { ownerPlan, safeBundle } = require('../lib/plan');
const { tampered } = require('../practice/tamper');
const { fault, root, run, shown, toJson, writeJson } = require('../lib/workspace');

const spec = { network: 'value', json: 'flag', 'no-json': 'flag', out: 'value', safe: 'value', 'safe-name': 'value', 'safe-desc': 'value' };
const { env } = process;

function options() {
  const given = parse(process.argv.slice(2), spec);
  return {
    network: given.network || env.OWNER_PLAN_NETWORK,
    json: given['no-json'] ? false : given.json || /^(1|true)$/.test(env.OWNER_PLAN_JSON ?? ''),
    out: given.out || env.OWNER_PLAN_OUT,
    safe: given.safe || env.OWNER_PLAN_SAFE_OUT || 'owner-safe-bundle.json',
    name: given['safe-name'] || env.OWNER_PLAN_SAFE_NAME || 'AGIJobs Owner Control Plan',
    description: given['safe-desc'] || env.OWNER_PLAN_SAFE_DESCRIPTION || 'Schedules the pending configuration changes at the timelock.',
  };
}

run(async () => {
  const wanted = options();
  const chain = await connect(wanted.network);
  const deployment = record(chain);
  await demandCode(chain, deployment);
  const plan = await ownerPlan(chain, deployment);
  if (fault('empty-bundle')) {
    console.log('No module addresses resolved; nothing to plan.');
    Object.assign(plan, { modules: [], totalActions: 0 });
  }
  const made = tampered(safeBundle(plan, wanted), deployment, fault);
  if (fault('other-bundle')) plan.totalActions = made.transactions.length;
  const bundle = writeJson(path.resolve(root, wanted.safe), made);
  if (wanted.out) writeJson(path.resolve(root, wanted.out), plan);
  if (wanted.json) process.stdout.write(toJson(plan));
  else console.log(`Network: ${plan.network}\nModules planned: ${plan.modules.length}\nTotal actions: ${plan.totalActions}`);
  process.stderr.write(`Wrote Safe transaction bundle to ${shown(bundle)}\n`);
});
