// Speaks for governance on the local chain: Safe transactions confirmed by its owners, timelock operations, and calls
// through SystemPause. It signs only through the chain's own unlocked accounts.
'use strict';

const { ZeroAddress, ZeroHash, TypedDataEncoder, concat, getAddress, id } = require('ethers');
const { act, events, roles } = require('./chain');
const { interfaceOf, modules } = require('./contracts');
const { contract } = require('./deployment');

const safeTxType = {
  SafeTx: [
    { name: 'to', type: 'address' },
    { name: 'value', type: 'uint256' },
    { name: 'data', type: 'bytes' },
    { name: 'operation', type: 'uint8' },
    { name: 'safeTxGas', type: 'uint256' },
    { name: 'baseGas', type: 'uint256' },
    { name: 'gasPrice', type: 'uint256' },
    { name: 'gasToken', type: 'address' },
    { name: 'refundReceiver', type: 'address' },
    { name: 'nonce', type: 'uint256' },
  ],
};

/** A Safe transaction with every field, at the Safe's next nonce. */
async function safeTx(chain, deployment, { to, data, operation = 0 }) {
  const nonce = await contract(chain, deployment, 'GovernanceSafe').nonce();
  return {
    to,
    value: '0',
    data,
    operation,
    safeTxGas: '0',
    baseGas: '0',
    gasPrice: '0',
    gasToken: ZeroAddress,
    refundReceiver: ZeroAddress,
    nonce: nonce.toString(),
  };
}

const domain = (chain, deployment) => ({ chainId: chain.chainId, verifyingContract: deployment.contracts.GovernanceSafe });
const safeTxHash = (chain, deployment, tx) => TypedDataEncoder.hash(domain(chain, deployment), safeTxType, tx);

/** Confirmations of the first two owners, sorted as the Safe wants them. */
async function confirmations(chain, deployment, tx) {
  const payload = TypedDataEncoder.getPayload(domain(chain, deployment), safeTxType, tx);
  const owners = await contract(chain, deployment, 'GovernanceSafe').getOwners();
  const threshold = Number(await contract(chain, deployment, 'GovernanceSafe').getThreshold());
  const signing = roles.owners.map((index) => chain.accounts[index]).filter((owner) => owners.includes(owner)).slice(0, threshold);
  const signed = await Promise.all(
    signing.map(async (owner) => ({ owner, signature: await chain.rpc('eth_signTypedData_v4', [owner, payload]), signatureType: 'EOA' })),
  );
  return signed.sort((a, b) => (BigInt(a.owner) < BigInt(b.owner) ? -1 : 1));
}

/** Confirms and executes a Safe transaction; a Safe that swallows a failure is an error here. */
async function execute(chain, deployment, call) {
  const safe = contract(chain, deployment, 'GovernanceSafe');
  const tx = await safeTx(chain, deployment, call);
  const signatures = concat((await confirmations(chain, deployment, tx)).map(({ signature }) => signature));
  const args = [tx.to, tx.value, tx.data, tx.operation, tx.safeTxGas, tx.baseGas, tx.gasPrice, tx.gasToken, tx.refundReceiver, signatures];
  const done = await act(chain, chain.accounts[roles.deployer], safe, 'execTransaction', args);
  if (events(done.receipt, 'Safe', 'ExecutionSuccess').length !== 1) throw new Error('the Safe reported no ExecutionSuccess');
  return done;
}

/** What governance must call so that `method` runs on `module`: modules are reached through their owner, SystemPause. */
function governanceCall(deployment, module, method, args) {
  const inner = interfaceOf(module).encodeFunctionData(method, args);
  const target = deployment.contracts[module];
  if (!modules.includes(module)) return { to: target, data: inner, inner };
  const data = interfaceOf('SystemPause').encodeFunctionData('executeGovernanceCall', [target, inner]);
  return { to: deployment.contracts.SystemPause, data, inner };
}

/** A timelock operation for a call; the salt makes it new even when the same call was made before. */
async function operation(chain, deployment, { to, data }, label) {
  const timelock = contract(chain, deployment, 'TimelockController');
  const nonce = await contract(chain, deployment, 'GovernanceSafe').nonce();
  const salt = id(`citadel-practice:${nonce}:${label}`);
  const call = [to, 0n, data, ZeroHash, salt];
  const [delay, hash] = await Promise.all([timelock.getMinDelay(), timelock.hashOperation(...call)]);
  return { to, data, salt, delay, id: hash, call, timelock };
}

const encode = (op, method, extra = []) => ({
  to: getAddress(op.timelock.target),
  data: op.timelock.interface.encodeFunctionData(method, [...op.call, ...extra]),
});
const scheduleCall = (op) => encode(op, 'schedule', [op.delay]);
const executeCall = (op) => encode(op, 'execute');

/** Waits in real time until the chain's clock lets the operation through. */
async function untilReady(chain, op) {
  const due = await op.timelock.getTimestamp(op.id);
  const { timestamp } = await chain.provider.getBlock('latest');
  const seconds = Number(due) - timestamp;
  if (seconds > 0) await new Promise((resolve) => setTimeout(resolve, seconds * 1000 + 50));
}

module.exports = { safeTx, safeTxHash, confirmations, execute, governanceCall, operation, scheduleCall, executeCall, untilReady };
