// npm run owner:mission-control: one summary of control surface, plan, ownership and dashboard, with a hashed bundle. It
// reads the chain once and changes nothing.
'use strict';

const crypto = require('node:crypto');
const path = require('node:path');
const { parse } = require('../lib/args');
const { connect } = require('../lib/chain');
const { dashboard } = require('../lib/dashboard');
const { demandCode, record } = require('../lib/deployment');
const { deliver } = require('../lib/output');
const { ownerPlan } = require('../lib/plan');
const { posture } = require('../lib/posture');
const { root, run, shown, toJson, writeFile } = require('../lib/workspace');

const spec = { network: 'value', format: 'value', json: 'flag', out: 'value', bundle: 'value', 'bundle-name': 'value', strict: 'flag', 'no-mermaid': 'flag' };
const rank = ['skipped', 'success', 'warning', 'error'];
const worst = (statuses) => statuses.reduce((a, b) => (rank.indexOf(b) > rank.indexOf(a) ? b : a), 'skipped');

async function surface(chain, deployment) {
  const { modules, others } = await posture(chain, deployment);
  const paused = modules.filter((module) => module.paused);
  const count = modules.length + others.length;
  return {
    status: paused.length > 0 ? 'warning' : 'success',
    summary: `${count} modules inspected (${count - paused.length} ok, ${paused.length} warn, 0 error)`,
    metrics: { modules: count, ok: count - paused.length, warn: paused.length, error: 0 },
    details: paused.map(({ name }) => `${name}: paused`),
  };
}

async function plan(chain, deployment) {
  const { modules, totalActions } = await ownerPlan(chain, deployment);
  return {
    status: 'success',
    summary: `${totalActions} pending actions in ${modules.length} modules`,
    metrics: { modules: modules.length, actions: totalActions },
    details: modules.flatMap(({ module, actions }) => actions.map(({ label }) => `${module}: ${label}`)),
  };
}

async function verify(chain, deployment) {
  const { checks } = await posture(chain, deployment);
  const failed = checks.filter(({ ok }) => !ok);
  return {
    status: failed.length > 0 ? 'error' : 'success',
    summary: `Owner control summary: ok ${checks.length - failed.length}, mismatch ${failed.length}, missing address 0, missing expected 0`,
    metrics: { ok: checks.length - failed.length, mismatch: failed.length, missingAddress: 0, missingExpected: 0, error: 0 },
    details: failed.map(({ key, detail }) => `${key}: ${detail}`),
  };
}

async function board(chain, deployment) {
  const { modules } = await dashboard(chain, deployment);
  const errored = modules.filter(({ metrics }) => metrics.some(({ label }) => label === 'error'));
  return {
    status: errored.length > 0 ? 'error' : 'success',
    summary: `${modules.length} modules inspected: 0 without addresses, ${errored.length} reported errors`,
    metrics: { modules: modules.length, missing: 0, errored: errored.length },
    details: errored.map(({ key, metrics }) => `${key}: ${metrics[0].value}`),
  };
}

const parts = [
  ['surface', 'Control Surface Snapshot', 'owner:atlas', surface],
  ['plan', 'Owner Update Plan', 'owner:plan:safe', plan],
  ['verify', 'Owner Control Verification', 'owner:pulse', verify],
  ['dashboard', 'Owner Command Dashboard', 'owner:dashboard', board],
];

async function step(chain, deployment, [key, title, script, part]) {
  const started = Date.now();
  const command = ['npm', 'run', '-s', script, '--', '--network', chain.name];
  const shape = (result, exitCode) => ({
    key,
    title,
    status: result.status,
    summary: result.summary,
    command,
    env: {},
    durationMs: Date.now() - started,
    metrics: result.metrics,
    details: result.details,
    logs: [],
    exitCode,
  });
  try {
    return shape(await part(chain, deployment), 0);
  } catch (error) {
    return shape({ status: 'error', summary: error.shortMessage || error.message, metrics: {}, details: [] }, 1);
  }
}

function text({ network, generatedAt, overallStatus, steps }) {
  const blocks = steps.map(({ title, status, summary, details }) => [`${title}: ${status}`, `  ${summary}`, ...details.map((detail) => `  - ${detail}`)].join('\n'));
  return `Owner Mission Control\nNetwork: ${network}\nGenerated: ${generatedAt}\nOverall status: ${overallStatus}\n\n${blocks.join('\n\n')}\n`;
}

function markdown({ network, generatedAt, overallStatus, steps }) {
  const block = ({ title, status, summary, command, durationMs, metrics, details }) => {
    const numbers = Object.entries(metrics).map(([name, value]) => `- ${name}: ${value}`);
    return [`## ${title}`, '', `**${status}**: ${summary}`, '', `- Command: \`${command.join(' ')}\``, `- Duration: ${durationMs} ms`, ...numbers, ...details.map((detail) => `- ${detail}`)].join('\n');
  };
  return `# Owner Mission Control Summary\n\n- Network: \`${network}\`\n- Generated: ${generatedAt}\n- Overall status: \`${overallStatus}\`\n\n${steps.map(block).join('\n\n')}\n`;
}

const sha256 = (content) => crypto.createHash('sha256').update(content).digest('hex');

/** Markdown, JSON and text with a manifest of their hashes, and a ledger that `sha256sum --check` reads. */
function writeBundle(folder, baseName, summary) {
  const documents = [['markdown', 'md', markdown(summary)], ['json', 'json', toJson(summary)], ['human', 'txt', text(summary)]];
  const files = documents.map(([format, extension, content]) => {
    const file = `${baseName}.${extension}`;
    writeFile(path.join(folder, file), content);
    return { format, file, sha256: sha256(content), bytes: Buffer.byteLength(content) };
  });
  const { steps, ...head } = summary;
  const brief = steps.map(({ details, logs, exitCode, ...rest }) => rest);
  const { network, generatedAt, overallStatus } = head;
  const manifest = toJson({ network, baseName, generatedAt, overallStatus, includeMermaid: false, steps: brief, files });
  writeFile(path.join(folder, `${baseName}.manifest.json`), manifest);
  const ledger = [...files, { file: `${baseName}.manifest.json`, sha256: sha256(manifest) }];
  writeFile(path.join(folder, `${baseName}.checksums.txt`), ledger.map((entry) => `${entry.sha256}  ${entry.file}\n`).join(''));
}

run(async () => {
  const options = parse(process.argv.slice(2), spec);
  const format = options.json ? 'json' : (options.format ?? 'human');
  const render = { json: toJson, markdown, human: text }[format];
  if (!render) throw new Error(`unknown format ${format}`);
  const chain = await connect(options.network);
  const deployment = record(chain);
  await demandCode(chain, deployment);
  const steps = await Promise.all(parts.map((part) => step(chain, deployment, part)));
  const overallStatus = worst(steps.map(({ status }) => status));
  const summary = { network: chain.name, generatedAt: new Date().toISOString(), overallStatus, steps };
  if (options.bundle) {
    const folder = path.resolve(root, options.bundle);
    writeBundle(folder, options['bundle-name'] ?? `mission-control-${chain.name}`, summary);
    process.stderr.write(`Wrote mission bundle to ${shown(folder)}\n`);
  }
  deliver(render(summary), options.out);
  if (overallStatus === 'error' || (options.strict && overallStatus === 'warning')) process.exitCode = 1;
});
