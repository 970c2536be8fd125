// npm run owner:pulse: one score for the health of governance. As in the real checkout, a bad score exits 0.
'use strict';

const { parse } = require('../lib/args');
const { connect } = require('../lib/chain');
const { demandCode, record } = require('../lib/deployment');
const { deliver } = require('../lib/output');
const { posture } = require('../lib/posture');
const { run, toJson } = require('../lib/workspace');

const colour = (score) => (score === 100 ? 'GREEN' : score >= 80 ? 'AMBER' : 'RED');

run(async () => {
  const { network, out } = parse(process.argv.slice(2), { network: 'value', out: 'value' });
  const { OWNER_PULSE_JSON, OWNER_PULSE_FORMAT, OWNER_PULSE_NETWORK, OWNER_PULSE_OUT } = process.env;
  const chain = await connect(network || OWNER_PULSE_NETWORK);
  const deployment = record(chain);
  await demandCode(chain, deployment);
  const { checks } = await posture(chain, deployment);
  const score = Math.floor((100 * checks.filter(({ ok }) => ok).length) / checks.length);
  const pulse = { network: chain.name, chainId: chain.chainId, generatedAt: new Date().toISOString(), score, status: colour(score), checks };
  const lines = checks.map(({ ok, key, detail }) => `${ok ? 'ok  ' : 'FAIL'} ${key} (${detail})`);
  const json = OWNER_PULSE_JSON === '1' || OWNER_PULSE_FORMAT === 'json';
  deliver(json ? toJson(pulse) : `Health: ${score} / 100 (${pulse.status})\n${lines.join('\n')}\n`, out || OWNER_PULSE_OUT);
});
