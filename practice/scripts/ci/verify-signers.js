// npm run ci:verify-signers: parses the list of maintainers' signing keys, byte by byte. It verifies no signature.
'use strict';

const fs = require('node:fs');
const { at, run, shown } = require('../lib/workspace');

const KEY_TYPE = 'ssh-ed25519';
const reserved = /@(example\.(com|org|net)|.*\.test)$/;

/** The raw key inside an SSH public key blob: two length-prefixed fields and nothing after. */
function rawKey(base64) {
  const blob = Buffer.from(base64, 'base64');
  const fields = [];
  for (let offset = 0; offset < blob.length; ) {
    if (offset + 4 > blob.length) throw new Error('truncated key');
    const length = blob.readUInt32BE(offset);
    if (offset + 4 + length > blob.length) throw new Error('truncated key');
    fields.push(blob.subarray(offset + 4, offset + 4 + length));
    offset += 4 + length;
  }
  if (fields.length !== 2 || fields[0].toString() !== KEY_TYPE || fields[1].length !== 32) throw new Error(`not an ${KEY_TYPE} key in SSH wire format`);
  return fields[1];
}

function expired(options) {
  const [, date] = /valid-before="?(\d{8})/.exec(options) ?? [];
  if (!date) return false;
  return new Date(`${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}T00:00:00Z`) <= new Date();
}

function entry(line) {
  const [principal, ...rest] = line.split(/\s+/);
  const typeAt = rest.indexOf(KEY_TYPE);
  if (typeAt < 0) throw new Error(`${principal}: no ${KEY_TYPE} key`);
  if (reserved.test(principal)) throw new Error(`${principal}: a reserved domain belongs to nobody`);
  if (expired(rest.slice(0, typeAt).join(' '))) throw new Error(`${principal}: the key has expired`);
  return { principal, key: rawKey(rest[typeAt + 1]).toString('hex') };
}

run(async () => {
  const file = process.argv[2] || process.env.ALLOWED_SIGNERS_PATH || at('.github', 'signers', 'allowed_signers');
  const lines = fs.readFileSync(file, 'utf8').split('\n').map((line) => line.trim());
  const entries = lines.filter((line) => line && !line.startsWith('#')).map(entry);
  if (entries.length < 2) throw new Error('fewer than two signing keys');
  if (new Set(entries.map(({ key }) => key)).size !== entries.length) throw new Error('one key is listed twice');
  console.log(`${entries.length} maintainer signing entries validated successfully at ${shown(file)}.`);
});
