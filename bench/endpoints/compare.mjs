// Runs all peers alternately, prints medians and ratios. See `run`.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { THING, anvil, proxy } from './chain.mjs';

const rounds = Number(process.argv[2]);
const citadel = path.resolve('../../target/release/citadel');

function site(endpoints) {
  const folder = mkdtempSync(path.join(tmpdir(), 'citadel-bench-'));
  process.on('exit', () => rmSync(folder, { recursive: true }));
  const rpc = [...Array(endpoints).keys()].map((at) => `"RPC_URL_${at + 1}"`).join(', ');
  const checks = [...Array(100).keys()].map((at) =>
    `[[phase.gate.check]]\nid = "c${at}"\ncall = { of = "thing", function = "f${at}()(uint256)", eq = 0 }\n`);
  writeFileSync(path.join(folder, 'runbook.toml'), `format = 1
[runbook]
id = "bench"
title = "Bench"
reports = "reports"
[workspace]
marker = "runbook.toml"
[network.net]
chain_id = 31337
rpc = [${rpc}]
block = "latest"
[contract.thing]
kind = "plain"
address = { net = "${THING}" }
[[phase]]
id = "1"
title = "One"
[[phase.step]]
id = "look"
title = "Look"
shell = "true"
effects = "none"
[phase.gate]
title = "Gate"
${checks.join('')}`);
  return folder;
}

function timed(program, args, { cwd, env } = {}) {
  return new Promise((done, fail) => {
    const began = performance.now();
    const child = spawn(program, args, { cwd, env: { PATH: process.env.PATH, HOME: tmpdir(), ...env }, stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (data) => { said += data; });
    child.on('exit', (code) => (code === 0 ? done(performance.now() - began) : fail(new Error(`${program}: exit ${code}\n${said}`))));
  });
}

function gate(folder, urls) {
  const env = Object.fromEntries(urls.map((url, at) => [`RPC_URL_${at + 1}`, url]));
  return () => timed(citadel, ['gate', 'verify', '--network', 'net', '--state', path.join(folder, 'state')], { cwd: folder, env });
}

async function casts(url) {
  const began = performance.now();
  for (let at = 0; at < 100; at += 1) await timed('node_modules/@foundry-rs/cast-linux-amd64/bin/cast', ['call', THING, `f${at}()(uint256)`, '--rpc-url', url]);
  return performance.now() - began;
}

const median = (times) => times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)];
const chain = await anvil();
const direct = await proxy(chain.port, 0);
const slow = await Promise.all([0, 1, 2].map(() => proxy(chain.port, 50)));
const [one, three] = [site(1), site(3)];

// What citadel sends is what the bare client sends.
await gate(one, [direct.url])();
const files = direct.posts.map((body, at) => { const file = path.resolve(`posts/${at}.json`); writeFileSync(file, body); return file; });
const posts = files.length;
const connections = direct.connections();
console.log(`100 reads by citadel: ${posts} POSTs on ${connections} connection(s)`);

const client = path.resolve('posts/client');
const peers = {
  'citadel, direct': gate(one, [chain.url]),
  'bare C client, the same POSTs, direct': () => timed(client, [String(chain.port), ...files]),
  'ethers v6, batching, direct': () => timed(process.execPath, ['ethers.mjs', chain.url, THING]),
  'viem, multicall, direct': () => timed(process.execPath, ['viem.mjs', chain.url, THING, chain.multicall]),
  'citadel, 50 ms': gate(one, [slow[0].url]),
  'bare C client, the same POSTs, 50 ms': () => timed(client, [String(slow[0].port), ...files]),
  'ethers v6, batching, 50 ms': () => timed(process.execPath, ['ethers.mjs', slow[0].url, THING]),
  'viem, multicall, 50 ms': () => timed(process.execPath, ['viem.mjs', slow[0].url, THING, chain.multicall]),
  'citadel, three endpoints, 50 ms': gate(three, slow.map((at) => at.url)),
};
const times = Object.fromEntries(Object.keys(peers).map((name) => [name, []]));
for (let round = 0; round < rounds; round += 1) {
  for (const [name, run] of Object.entries(peers)) times[name].push(await run());
}
times['100 cast calls, direct'] = [await casts(chain.url)];

const medians = Object.fromEntries(Object.entries(times).map(([name, all]) => [name, median(all)]));
for (const [name, time] of Object.entries(medians)) console.log(`${time.toFixed(1).padStart(9)} ms  ${name}`);
const ratio = (what, a, b, target) => {
  const value = medians[a] / medians[b];
  console.log(`${value.toFixed(2).padStart(9)}     ${what}${target ? `; target at most ${target}: ${value <= target ? 'reached' : 'MISSED'}` : ''}`);
};
console.log();
ratio('direct, to the bare C client', 'citadel, direct', 'bare C client, the same POSTs, direct', 4);
ratio('with 50 ms, to the same number of bare POSTs', 'citadel, 50 ms', 'bare C client, the same POSTs, 50 ms', 1.25);
ratio('three endpoints to one, 50 ms', 'citadel, three endpoints, 50 ms', 'citadel, 50 ms', 1.3);
ratio('to ethers v6, direct', 'citadel, direct', 'ethers v6, batching, direct');
ratio('to viem, direct', 'citadel, direct', 'viem, multicall, direct');
ratio('to ethers v6, 50 ms', 'citadel, 50 ms', 'ethers v6, batching, 50 ms');
ratio('to viem, 50 ms', 'citadel, 50 ms', 'viem, multicall, 50 ms');
ratio('to 100 cast calls, direct', 'citadel, direct', '100 cast calls, direct');
for (const at of [direct, ...slow]) at.end();
process.exit(posts === 2 && connections === 1 ? 0 : 1);
