// Knows where things are in this workspace and reads and writes its files. It never talks to a chain.
'use strict';

const fs = require('node:fs');
const path = require('node:path');

// The commands of the real checkout load `.env` on start, so these do too.
require('dotenv').config();

const root = path.resolve(__dirname, '../..');
const at = (...parts) => path.join(root, ...parts);

function readJson(file) {
  return JSON.parse(fs.readFileSync(file, 'utf8'));
}

function writeFile(file, text) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, text);
  return file;
}

const plain = (_key, value) => (typeof value === 'bigint' ? value.toString() : value);
const toJson = (value) => `${JSON.stringify(value, plain, 2)}\n`;
const writeJson = (file, value) => writeFile(file, toJson(value));

const config = (name) => readJson(at('config', `${name}.json`));
const reports = (network, ...parts) => at('reports', network, 'astral-citadel', ...parts);
const shown = (file) => path.relative(root, file) || '.';

/** True when `faults.txt` (never committed) asks for this misbehaviour. */
function fault(name) {
  const file = at('faults.txt');
  if (!fs.existsSync(file)) return false;
  const names = fs.readFileSync(file, 'utf8').split('\n').map((line) => line.trim());
  return names.includes(name);
}

/** Runs a command's main function; a failure is one line on stderr and exit code 1. */
function run(main) {
  main().catch((error) => {
    process.stderr.write(`error: ${error.shortMessage || error.message}\n`);
    if (process.env.PRACTICE_TRACE) process.stderr.write(`${error.stack}\n`);
    process.exitCode = 1;
  });
}

module.exports = { root, at, readJson, writeFile, writeJson, toJson, config, reports, shown, fault, run };
