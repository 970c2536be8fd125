// Makes ed25519 keys for the rehearsal's signers and signs with them as `ssh-keygen -Y sign` does. These keys exist for
// practice only; they never sign for a chain.
'use strict';

const crypto = require('node:crypto');
const fs = require('node:fs');
const { at } = require('./workspace');

const KEY_TYPE = 'ssh-ed25519';
const NAMESPACE = 'citadel-sign-off@v1';
const people = ['signer-1', 'signer-2', 'signer-3'];
const spare = ['stranger', 'signer-1-b'];

function field(value) {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function publicBlob(key) {
  const raw = Buffer.from(crypto.createPublicKey(key).export({ format: 'jwk' }).x, 'base64url');
  return Buffer.concat([field(KEY_TYPE), field(raw)]);
}

const publicLine = (key) => `${KEY_TYPE} ${publicBlob(key).toString('base64')}`;
const keyFile = (name) => at('.keys', `${name}.pem`);

function load(name) {
  if (!/^[\w-]+$/.test(name)) throw new Error(`"${name}" is not a key name`);
  if (!fs.existsSync(keyFile(name))) throw new Error(`no key for ${name}; run make setup`);
  return crypto.createPrivateKey(fs.readFileSync(keyFile(name)));
}

function make(name) {
  const { privateKey } = crypto.generateKeyPairSync('ed25519');
  fs.writeFileSync(keyFile(name), privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  fs.writeFileSync(at('.keys', `${name}.pub`), `${publicLine(privateKey)} ${name}\n`, { mode: 0o600 });
}

/** Makes the keys that are missing and returns the public lines of the people who may sign. */
function ensure() {
  fs.mkdirSync(at('.keys'), { recursive: true, mode: 0o700 });
  for (const name of [...people, ...spare]) if (!fs.existsSync(keyFile(name))) make(name);
  return people.map((who) => ({ who, ssh: publicLine(load(who)) }));
}

/** An armored SSH signature over `message`, in citadel's sign-off namespace. */
function sign(name, message) {
  const key = load(name);
  const frame = [field(NAMESPACE), field(''), field('sha512')];
  const digest = crypto.createHash('sha512').update(message).digest();
  const signature = crypto.sign(null, Buffer.concat([Buffer.from('SSHSIG'), ...frame, field(digest)]), key);
  const version = Buffer.from([0, 0, 0, 1]);
  const wrapped = field(Buffer.concat([field(KEY_TYPE), field(signature)]));
  const blob = Buffer.concat([Buffer.from('SSHSIG'), version, field(publicBlob(key)), ...frame, wrapped]);
  const lines = blob.toString('base64').match(/.{1,70}/g);
  return ['-----BEGIN SSH SIGNATURE-----', ...lines, '-----END SSH SIGNATURE-----', ''].join('\n');
}

module.exports = { people, ensure, sign };
