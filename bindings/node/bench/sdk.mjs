// Our package and the published one side by side, against one server on this machine: `node sdk.mjs DIR`, where DIR has
// both in its node_modules. Wants OZ_BIN. Figures of the two alternate, each in a process of its own; the median counts.

import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const KEY = 'wk-1.0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef';
const RUNS = 10_000;
const dir = process.argv[2];
const one = join(dir, 'one.mjs');
copyFileSync(new URL('one.mjs', import.meta.url), one);

/** What is measured: how often, in which unit, and which is better. */
const FIGURES = [
  ['require', '`require` (ms)', 15, 'less'],
  ['client', '`require` and a client (ms)', 15, 'less'],
  ['sequential', 'calls/s, one after the other', 5, 'more'],
  ['concurrent', 'calls/s, 64 at a time', 5, 'more'],
  ['memory', 'memory after 5,000 calls (MB)', 5, 'less'],
  ['listing', 'listing 10,000 runs (ms)', 5, 'less'],
];

const port = await new Promise((resolve) => {
  const socket = createServer().listen(0, '127.0.0.1', () => {
    const { port } = socket.address();
    socket.close(() => resolve(port));
  });
});
const home = mkdtempSync(join(tmpdir(), 'oz-bench-'));
const url = `http://127.0.0.1:${port}`;
const server = spawn(process.env.OZ_BIN, ['serve', '--no-worker', '--rate-limit', '0', '--listen', `127.0.0.1:${port}`, '--data-dir', home], {
  env: { ...process.env, HOME: home, OZ_BOOTSTRAP_API_KEY: KEY },
  stdio: 'ignore',
});

try {
  for (let tries = 0; ; tries += 1) {
    if (await fetch(`${url}/healthz`).then((r) => r.ok, () => false)) break;
    if (tries > 200) throw new Error('the server does not answer');
    await sleep(50);
  }
  const { Oz } = createRequire(one)('oz-sdk');
  const client = new Oz({ baseURL: url, apiKey: KEY });
  const ids = [];
  const lane = async () => {
    while (ids.length < RUNS) {
      ids.push(undefined);
      const { run_id } = await client.runs.create({ prompt: 'wait', config: { worker_host: 'nowhere' } });
      ids[0] = run_id;
    }
  };
  await Promise.all(Array.from({ length: 64 }, lane));

  const env = { ...process.env, OZ_SERVER_URL: url, OZ_API_KEY: KEY, RUN_ID: ids[0], HOME: home };
  const measured = (who, what) => {
    const done = spawnSync(process.execPath, [one, who, what], { env, encoding: 'utf8' });
    if (done.status !== 0) throw new Error(`${who} ${what}: ${done.stderr}`);
    return Number(done.stdout);
  };
  const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];
  console.log(`Node ${process.version}, ${cpus().length} processors\n`);
  console.log('| measured | oz-sdk | oz-agent-sdk | ratio | |\n|---|---|---|---|---|');
  for (const [what, name, times, better] of FIGURES) {
    const values = { ours: [], published: [] };
    for (let i = 0; i < times; i += 1) for (const who of ['ours', 'published']) values[who].push(measured(who, what));
    const [ours, published] = [median(values.ours), median(values.published)];
    const gain = better === 'more' ? ours / published : published / ours;
    const verdict = gain >= 1 ? 'met' : 'MISSED';
    console.log(`| ${name} | ${ours.toFixed(1)} | ${published.toFixed(1)} | ${gain.toFixed(2)}x better | ${verdict} |`);
  }
} finally {
  server.kill();
  rmSync(home, { recursive: true, force: true });
}
