// 100 reads by ethers v6, which batches them. Usage: ethers.mjs URL ADDRESS
import { Contract, JsonRpcProvider } from 'ethers';

const [url, address] = process.argv.slice(2);
const provider = new JsonRpcProvider(url);
const names = [...Array(100).keys()].map((at) => `f${at}`);
const thing = new Contract(address, names.map((name) => `function ${name}() view returns (uint256)`), provider);
await Promise.all(names.map((name) => thing[name]()));
provider.destroy();
