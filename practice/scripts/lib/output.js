// Small helpers for the documents that commands write: Markdown tables and where a document goes.
'use strict';

const path = require('node:path');
const { root, shown, writeFile } = require('./workspace');

const table = (head, rows) => [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
const code = (text) => `\`${text}\``;

/** Writes the document to the file asked for, else to stdout. */
function deliver(text, out) {
  if (!out) return process.stdout.write(text);
  const file = writeFile(path.resolve(root, out), text);
  return process.stderr.write(`Wrote ${shown(file)}\n`);
}

module.exports = { table, code, deliver };
