// Talks to the local chain through JSON-RPC, with the chain's own unlocked accounts. It holds no key and refuses every
// chain but 31337.
'use strict';

const { Contract, JsonRpcProvider, Network, getAddress } = require('ethers');
const { interfaceOf, names } = require('./contracts');

const CHAIN_ID = 31337;
const NETWORK = 'anvil';

/** What each of Anvil's accounts does in a rehearsal. */
const roles = { deployer: 0, owners: [1, 2, 3], employer: 4, worker: 5, validators: [6, 7, 8], stranger: 9 };

/** The network's name from `--network`, else HARDHAT_NETWORK; practice knows one only. */
function networkName(option) {
  const name = option || process.env.HARDHAT_NETWORK || NETWORK;
  if (name !== NETWORK) throw new Error(`unknown network "${name}": this practice workspace knows only "${NETWORK}"`);
  return name;
}

async function connect(option) {
  const name = networkName(option);
  const url = process.env.ANVIL_RPC_URL;
  if (!url) throw new Error('ANVIL_RPC_URL is not set; it must be the URL of a local Anvil');
  return open(url, name);
}

async function open(url, name) {
  if (!/^https?:\/\//.test(url)) throw new Error('ANVIL_RPC_URL is not an http URL; fill in the placeholder in .env');
  const network = Network.from(CHAIN_ID);
  const provider = new JsonRpcProvider(url, network, { staticNetwork: network, batchMaxCount: 1, cacheTimeout: -1 });
  const rpc = (method, params = []) => provider.send(method, params);
  const id = Number(await rpc('eth_chainId').catch((error) => unreachable(error)));
  if (id !== CHAIN_ID) throw new Error(`the endpoint answers for chain ${id}; practice touches only chain ${CHAIN_ID}`);
  const accounts = (await rpc('eth_accounts')).map((address) => getAddress(address));
  if (accounts.length < 10) throw new Error('the endpoint has fewer than ten unlocked accounts; is it Anvil?');
  return { name, chainId: id, provider, rpc, accounts, url };
}

function unreachable(error) {
  throw new Error(`the endpoint in ANVIL_RPC_URL does not answer (${error.code || error.message})`);
}

const hex = (value) => `0x${BigInt(value).toString(16)}`;

/** Hands a transaction to the node and returns its hash at once. */
function submit(chain, from, { to, data = '0x', value = 0n, gas, nonce }) {
  const request = { from, data, value: hex(value) };
  if (to) request.to = to;
  if (gas) request.gas = hex(gas);
  if (nonce !== undefined) request.nonce = hex(nonce);
  return chain.rpc('eth_sendTransaction', [request]);
}

/** The receipt of a transaction that succeeded; a reverted one is an error. */
async function confirm(chain, hash) {
  const deadline = Date.now() + 30_000;
  while (Date.now() < deadline) {
    const receipt = await chain.rpc('eth_getTransactionReceipt', [hash]);
    if (receipt && BigInt(receipt.status) === 1n) return receipt;
    if (receipt) throw new Error(`transaction ${hash} was mined and reverted`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`transaction ${hash} was not mined within 30 s`);
}

/** Estimates (so that a revert is named before anything is sent), sends and waits for one call of a contract. */
async function act(chain, from, contract, method, args = [], value = 0n) {
  const data = contract.interface.encodeFunctionData(method, args);
  const to = contract.target;
  try {
    const gas = await chain.rpc('eth_estimateGas', [{ from, to, data, value: hex(value) }]);
    const receipt = await confirm(chain, await submit(chain, from, { to, data, value, gas: (BigInt(gas) * 3n) / 2n }));
    return { hash: receipt.transactionHash, receipt };
  } catch (error) {
    throw new Error(`${method} failed: ${revertName(error)}`);
  }
}

/** The revert data inside an ethers error, or null where the node did not answer with a revert. */
function revertData(error) {
  const body = error?.error ?? error?.info?.error ?? error;
  const data = body?.data?.data ?? body?.data;
  return typeof data === 'string' && data.startsWith('0x') ? data : null;
}

/** The name of the error a contract reverted with, as far as this workspace knows it. */
function revertName(error) {
  const data = revertData(error);
  if (!data || data === '0x') return error?.error?.message || error.shortMessage || error.message;
  for (const face of knownInterfaces()) {
    const parsed = face.parseError(data);
    if (parsed) return `${parsed.name}(${parsed.args.map(String).join(', ')})`;
  }
  return `unknown revert ${data.slice(0, 10)}`;
}

let known;
function knownInterfaces() {
  known ??= [...names(), 'TimelockController', 'Safe'].map(interfaceOf);
  return known;
}

const contractAt = (chain, name, address) => new Contract(address, interfaceOf(name), chain.provider);

/** Events of one kind in a receipt. */
function events(receipt, name, eventName) {
  const face = interfaceOf(name);
  const parsed = receipt.logs.map((log) => face.parseLog(log));
  return parsed.filter((event) => event?.name === eventName);
}

module.exports = { CHAIN_ID, NETWORK, roles, networkName, connect, open, submit, confirm, act, revertData, revertName, contractAt, events, hex };
