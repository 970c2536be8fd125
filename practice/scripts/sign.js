// Signs a sign-off statement as the rehearsal's people would. It never reads or judges what it signs.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { run } = require('./lib/workspace');
const { sign } = require('./lib/keys');

run(async () => {
  const { SIGN_OFF_STATEMENT: statement, SIGN_OFF_FOLDER: folder, SIGN_OFF_AS: as } = process.env;
  if (!statement || !folder) throw new Error('SIGN_OFF_STATEMENT and SIGN_OFF_FOLDER must name a file and a folder');
  const bytes = fs.readFileSync(statement);
  const names = (as || 'signer-1,signer-2').split(',').map((name) => name.trim()).filter(Boolean);
  fs.mkdirSync(folder, { recursive: true });
  for (const name of names) {
    fs.writeFileSync(path.join(folder, `${name}.sig`), sign(name, bytes));
    console.log(`signed as ${name}`);
  }
});
