// npm run ci:verify-toolchain: checks that the toolchain is pinned in the files and that the running node fits. It
// installs nothing.
'use strict';

const fs = require('node:fs');
const { at, readJson, run } = require('../lib/workspace');

const exact = /^\d+\.\d+\.\d+$/;

function problems() {
  const manifest = readJson(at('package.json'));
  const lock = readJson(at('package-lock.json'));
  const wanted = fs.readFileSync(at('.nvmrc'), 'utf8').trim();
  const running = process.versions.node;
  const declared = { ...manifest.dependencies, ...manifest.devDependencies };
  const found = [];
  const check = (ok, problem) => ok || found.push(problem);
  check(running.split('.')[0] === wanted.split('.')[0], `node ${running} runs, .nvmrc wants ${wanted}`);
  check(/^npm@\d+\.\d+\.\d+$/.test(manifest.packageManager), 'package.json does not pin packageManager');
  check(manifest.engines?.node && manifest.engines?.npm, 'package.json declares no engines');
  check(lock.lockfileVersion === 3, 'package-lock.json is not of version 3');
  for (const [name, version] of Object.entries(declared)) {
    check(exact.test(version), `${name} is not pinned: ${version}`);
    check(lock.packages[`node_modules/${name}`]?.version === version, `the lock holds another ${name} than ${version}`);
  }
  for (const [place, entry] of Object.entries(lock.packages)) check(!entry.resolved, `${place} names a registry in the lock`);
  return found;
}

run(async () => {
  const found = problems();
  if (found.length > 0) throw new Error(`toolchain is not locked:\n- ${found.join('\n- ')}`);
  console.log('Toolchain lock verification passed. All required versions are pinned.');
});
