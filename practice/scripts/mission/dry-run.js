// npm run demo:asi-takeoff:local: plays the mission on a chain of its own and ends that chain, whatever happens. It
// never touches $ANVIL_RPC_URL.
'use strict';

const fs = require('node:fs');
const { spawn } = require('node:child_process');
const { open } = require('../lib/chain');
const { deploy } = require('../lib/deploy');
const { at, reports, run, shown } = require('../lib/workspace');
const { play } = require('./play');

const LABEL = 'localhost';
const START_SECONDS = 20;

/** Starts Anvil on a port that the system chooses and resolves to `{ child, url }` once it listens. */
function startChain() {
  const child = spawn(at('node_modules', '.bin', 'anvil'), ['--port', '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  return new Promise((resolve, reject) => {
    let heard = '';
    const late = setTimeout(() => reject(new Error(`Anvil did not listen within ${START_SECONDS} s`)), START_SECONDS * 1000);
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`Anvil ended with ${code} before it listened`)));
    child.stdout.on('data', (bytes) => {
      heard = (heard + bytes).slice(-4096);
      const [, port] = /Listening on [\d.]+:(\d+)/.exec(heard) ?? [];
      if (!port) return;
      clearTimeout(late);
      resolve({ child, url: `http://127.0.0.1:${port}` });
    });
    endWithUs(child);
  });
}

/** A signal to this script ends its chain first. */
function endWithUs(child) {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.once(signal, () => {
      child.kill('SIGTERM');
      child.once('exit', () => process.exit(1));
    });
  }
  process.once('exit', () => child.kill('SIGTERM'));
}

function end(child) {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.removeAllListeners('exit');
    child.once('exit', resolve);
    child.kill('SIGTERM');
    setTimeout(() => child.kill('SIGKILL'), 3000).unref();
  });
}

run(async () => {
  const { child, url } = await startChain();
  try {
    console.log(`rehearsal chain ${child.pid} at ${url}`);
    const chain = await open(url, LABEL);
    const deployment = await deploy(chain, console.log);
    const folder = reports(LABEL, 'receipts');
    fs.rmSync(folder, { recursive: true, force: true });
    await play(chain, deployment, LABEL, folder);
    console.log(`receipts in ${shown(folder)}`);
  } finally {
    await end(child);
    console.log('rehearsal chain ended');
  }
});
