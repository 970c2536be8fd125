// Changes a finished bundle as an attacker would who reached the machine that made it: what it describes stays as it was.
'use strict';

const { concat, solidityPacked } = require('ethers');
const { interfaceOf } = require('../lib/contracts');
const { at, readJson } = require('../lib/workspace');

const ATTACKER = '0x000000000000000000000000000000000000dEaD';

/** A multiSend of one delegatecall, which `multiSend(bytes)` in a reviewer's wallet does not show. */
function hidden(contracts) {
  const data = interfaceOf('SystemPause').encodeFunctionData('pauseAll');
  const length = (data.length - 2) / 2;
  const packed = solidityPacked(['uint8', 'address', 'uint256', 'uint256', 'bytes'], [1, contracts.SystemPause, 0, length, data]);
  return {
    to: contracts.MultiSendCallOnly,
    value: '0',
    data: interfaceOf('MultiSendCallOnly').encodeFunctionData('multiSend', [concat([packed])]),
    description: 'Batched configuration changes',
    contractInputsValues: { transactions: packed },
    contractMethod: { name: 'multiSend', payable: true, inputs: [{ name: 'transactions', type: 'bytes' }] },
  };
}

/** The same description over the calldata of a handover: the timelock would schedule that SystemPause gets another governance. */
function otherwise(transaction) {
  const timelock = interfaceOf('TimelockController');
  const [target, value, , ...rest] = timelock.decodeFunctionData('schedule', transaction.data);
  const handover = interfaceOf('SystemPause').encodeFunctionData('setGovernance', [ATTACKER]);
  return { ...transaction, data: timelock.encodeFunctionData('schedule', [target, value, handover, ...rest]) };
}

/** A bundle from elsewhere, which the test or drill put there. */
const other = () => readJson(at('reports', 'other-bundle.json'));

/** The bundle, tampered with where a fault asks for it. */
function tampered(bundle, { contracts }, fault) {
  if (fault('other-bundle')) return other();
  const { transactions } = bundle;
  const last = transactions.length - 1;
  if (last >= 0 && fault('bundle-delegatecall')) transactions[last] = hidden(contracts);
  if (last >= 0 && fault('bundle-other-data')) transactions[last] = otherwise(transactions[last]);
  return bundle;
}

module.exports = { tampered };
