// Renders the receipts of one scope as a Markdown report. It reads files only and asks no chain.
import fs from 'node:fs';
import path from 'node:path';

type Json = Record<string, any>;

const network = process.env.NETWORK || 'localhost';
const scope = process.env.AURORA_REPORT_SCOPE || 'aurora';
const title = process.env.AURORA_REPORT_TITLE || `Mission Report: ${scope}`;
const folder = path.join('reports', network, scope);

function load(name: string): Json | null {
  const file = path.join(folder, 'receipts', name);
  return fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : null;
}

function table(head: string[], rows: string[][]): string[] {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
}

const code = (text: string | undefined) => (text ? `\`${text}\`` : '');

function missionSection(mission: Json): string[] {
  const facts = [`- Scope: ${mission.scope}`, `- Version: ${mission.version}`, `- Jobs executed: ${mission.jobs.length}`];
  const rows = mission.jobs.map((job: Json) => [job.jobId, job.name, job.reward, code(job.txHash)]);
  return ['## Mission', '', mission.description, '', ...facts, '', ...table(['Job', 'Name', 'Reward (wei)', 'Transaction'], rows), ''];
}

function jobSection(job: Json): string[] {
  const receipt = (step: string) => load(job.receipts[step]) ?? {};
  const validate = receipt('validate');
  const votes = (validate.validators ?? []).flatMap((vote: Json, index: number) => [
    [`commit of validator ${index + 1}`, code(vote.commitTx)],
    [`reveal of validator ${index + 1}`, code(vote.revealTx)],
  ]);
  const rows = [
    ['post', code(receipt('post').txHash)],
    ['submit', code(receipt('submit').txHash)],
    ...votes,
    ['validation finalized', code(validate.finalizeTx)],
    ['finalize', code(receipt('finalize').txHash)],
  ];
  return [`## Job ${job.jobId}: ${job.name}`, '', job.notes ?? '', '', ...table(['Step', 'Transaction'], rows), ''];
}

function stakeSection(stake: Json): string[] {
  const rows = stake.entries.map((entry: Json) => [entry.role, code(entry.address), entry.amount, code(entry.txHash)]);
  return ['## Stakes', '', ...table(['Role', 'Account', 'Amount (wei)', 'Transaction'], rows), ''];
}

function deploySection(deploy: Json): string[] {
  const rows = Object.entries(deploy.contracts).map(([name, address]) => [name, code(String(address))]);
  return ['## Deployment', '', ...table(['Contract', 'Address'], rows), ''];
}

const mission = load('mission.json');
const stake = load('stake.json');
const deploy = load('deploy.json');
const lines = [
  `# ${title}`,
  '',
  ...(mission ? missionSection(mission) : []),
  ...(mission ? mission.jobs.flatMap(jobSection) : []),
  ...(stake ? stakeSection(stake) : []),
  ...(deploy ? deploySection(deploy) : []),
];

const file = path.join(folder, `${scope}-report.md`);
fs.mkdirSync(folder, { recursive: true });
fs.writeFileSync(file, `${lines.join('\n').trimEnd()}\n`);
console.log(`Wrote ${file}`);
