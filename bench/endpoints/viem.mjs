// 100 reads by viem in one multicall. Usage: viem.mjs URL ADDRESS MULTICALL
import { createPublicClient, http, parseAbi } from 'viem';

const [url, address, multicallAddress] = process.argv.slice(2);
const client = createPublicClient({ transport: http(url) });
const names = [...Array(100).keys()].map((at) => `f${at}`);
const abi = parseAbi(names.map((name) => `function ${name}() view returns (uint256)`));
const contracts = names.map((functionName) => ({ address, abi, functionName }));
await client.multicall({ contracts, multicallAddress, allowFailure: false, batchSize: 0 });
