// A real Anvil with one contract that answers zero to everything, with Multicall3, and proxies that make it slow and count.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import { createInterface } from 'node:readline';
import { multicall3Bytecode } from './node_modules/viem/_esm/constants/contracts.js';

export const THING = '0x00000000000000000000000000000000000c0dE1';

export async function anvil() {
  const child = spawn('node_modules/.bin/anvil', ['--port', '0'], { stdio: ['ignore', 'pipe', 'ignore'], detached: true });
  const lines = createInterface({ input: child.stdout });
  let port;
  for await (const line of lines) {
    const found = line.match(/^Listening on 127\.0\.0\.1:(\d+)/);
    if (found) { port = Number(found[1]); break; }
  }
  child.stdout.resume();
  process.on('exit', () => process.kill(-child.pid));
  const url = `http://127.0.0.1:${port}`;
  const rpc = async (method, ...params) => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
    const answer = await (await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })).json();
    if (answer.error) throw new Error(`${method}: ${answer.error.message}`);
    return answer.result;
  };
  await rpc('anvil_setCode', THING, '0x60206000f3');
  const [from] = await rpc('eth_accounts');
  const hash = await rpc('eth_sendTransaction', { from, data: multicall3Bytecode, gas: '0x1c9c380' });
  await rpc('evm_mine');
  const multicall = (await rpc('eth_getTransactionReceipt', hash)).contractAddress;
  return { port, url, multicall };
}

// Answers each POST after `delay` milliseconds; keeps what was sent.
export async function proxy(to, delay) {
  const agent = new http.Agent({ keepAlive: true });
  const posts = [];
  const seen = new Set();
  const server = http.createServer(async (asked, answer) => {
    seen.add(asked.socket);
    const came = performance.now();
    const body = Buffer.concat(await asked.toArray());
    posts.push(body);
    const headers = { 'content-type': 'application/json', 'content-length': body.length };
    const behind = http.request({ port: to, host: '127.0.0.1', method: 'POST', agent, headers }, async (got) => {
      const back = Buffer.concat(await got.toArray());
      setTimeout(() => {
        answer.writeHead(got.statusCode, { 'content-type': 'application/json', 'content-length': back.length });
        answer.end(back);
      }, Math.max(0, delay - (performance.now() - came)));
    });
    behind.end(body);
  });
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  const forget = () => { posts.length = 0; seen.clear(); };
  return { port, url: `http://127.0.0.1:${port}`, posts, forget, connections: () => seen.size, end: () => server.closeAllConnections() || server.close() };
}
