// Compiles contracts/ with solc-js into build/, once for each state of the sources. It never downloads a compiler.
'use strict';

const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { at, readJson, writeJson } = require('./workspace');

const settings = {
  optimizer: { enabled: true, runs: 200 },
  evmVersion: 'cancun',
  metadata: { bytecodeHash: 'none' },
  outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object'] } },
};

function sources() {
  const found = {};
  for (const entry of fs.readdirSync(at('contracts'), { recursive: true, withFileTypes: true })) {
    if (!entry.name.endsWith('.sol')) continue;
    const file = path.join(entry.parentPath ?? entry.path, entry.name);
    const name = path.relative(at('contracts'), file).split(path.sep).join('/');
    found[`contracts/${name}`] = { content: fs.readFileSync(file, 'utf8') };
  }
  return Object.fromEntries(Object.entries(found).sort());
}

function digest(input) {
  const versions = ['solc', '@openzeppelin/contracts'].map((name) => readJson(at('node_modules', name, 'package.json')).version);
  return crypto.createHash('sha256').update(JSON.stringify([input, settings, versions])).digest('hex');
}

function findImport(name) {
  try {
    return { contents: fs.readFileSync(at('node_modules', name), 'utf8') };
  } catch (error) {
    return { error: error.message };
  }
}

function compileNow(input) {
  const solc = require('solc');
  const request = JSON.stringify({ language: 'Solidity', sources: input, settings });
  const output = JSON.parse(solc.compile(request, { import: findImport }));
  const problems = (output.errors ?? []).filter((problem) => problem.severity === 'error');
  if (problems.length > 0) throw new Error(problems.map((problem) => problem.formattedMessage).join('\n'));
  const contracts = {};
  for (const [file, units] of Object.entries(output.contracts)) {
    if (!file.startsWith('contracts/')) continue;
    for (const [name, unit] of Object.entries(units)) contracts[name] = { abi: unit.abi, bytecode: `0x${unit.evm.bytecode.object}` };
  }
  return { warnings: output.errors ?? [], contracts };
}

/** The artifacts by contract name, from build/ when the sources have not changed. */
function compile(log = () => {}) {
  const input = sources();
  const hash = digest(input);
  const cache = at('build', 'artifacts.json');
  if (fs.existsSync(cache)) {
    const built = readJson(cache);
    if (built.hash === hash) return built.contracts;
  }
  log(`compiling ${Object.keys(input).length} Solidity files`);
  const { warnings, contracts } = compileNow(input);
  for (const warning of warnings) log(warning.formattedMessage.trim());
  writeJson(cache, { hash, contracts });
  return contracts;
}

module.exports = { compile };
