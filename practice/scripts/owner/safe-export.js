// npm run owner:safe:export: turns the Safe bundle into one Safe transaction, has two owners confirm it and writes it as
// the Safe's transaction service would show it. It does not execute it.
'use strict';

const { concat, solidityPacked } = require('ethers');
const { parse } = require('../lib/args');
const { connect } = require('../lib/chain');
const { interfaceOf } = require('../lib/contracts');
const { contract, demandCode, record } = require('../lib/deployment');
const governance = require('../lib/governance');
const { at, readJson, reports, run, shown, writeJson } = require('../lib/workspace');

function packed({ to, value, data }) {
  const length = (data.length - 2) / 2;
  return solidityPacked(['uint8', 'address', 'uint256', 'uint256', 'bytes'], [0, to, value, length, data]);
}

/** A single transaction is called directly; several go through MultiSendCallOnly, by delegatecall as the Safe demands. */
function combined(deployment, transactions) {
  if (transactions.length === 1) return { to: transactions[0].to, data: transactions[0].data, operation: 0 };
  const data = interfaceOf('MultiSendCallOnly').encodeFunctionData('multiSend', [concat(transactions.map(packed))]);
  return { to: deployment.contracts.MultiSendCallOnly, data, operation: 1 };
}

run(async () => {
  const { network, out } = parse(process.argv.slice(2), { network: 'value', out: 'value' });
  const chain = await connect(network);
  const deployment = record(chain);
  await demandCode(chain, deployment);
  const { chainId, transactions } = readJson(at('owner-safe-bundle.json'));
  if (Number(chainId) !== chain.chainId) throw new Error(`the bundle is for chain ${chainId}`);
  if (transactions.length === 0) throw new Error('the bundle holds no transactions');

  const tx = await governance.safeTx(chain, deployment, combined(deployment, transactions));
  const safeTxHash = governance.safeTxHash(chain, deployment, tx);
  const args = [tx.to, tx.value, tx.data, tx.operation, tx.safeTxGas, tx.baseGas, tx.gasPrice, tx.gasToken, tx.refundReceiver, tx.nonce];
  const onChain = await contract(chain, deployment, 'GovernanceSafe').getTransactionHash(...args);
  if (onChain !== safeTxHash) throw new Error('the Safe computes another transaction hash');
  const confirmations = await governance.confirmations(chain, deployment, tx);
  const exported = {
    safe: deployment.contracts.GovernanceSafe,
    to: tx.to,
    value: tx.value,
    data: tx.data,
    operation: tx.operation,
    gasToken: tx.gasToken,
    safeTxGas: tx.safeTxGas,
    baseGas: tx.baseGas,
    gasPrice: tx.gasPrice,
    refundReceiver: tx.refundReceiver,
    nonce: tx.nonce,
    safeTxHash,
    confirmations,
  };
  const file = writeJson(out ? at(out) : reports(chain.name, 'safe-tx.json'), exported);
  console.log(`safeTxHash ${safeTxHash} with ${confirmations.length} confirmations\nwrote ${shown(file)}`);
});
