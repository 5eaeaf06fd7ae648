// A control plane in this process.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { OzError, serve } from 'oz-sdk';

const here = dirname(fileURLToPath(import.meta.url));

test('a control plane is served here until it is stopped, and leaves nothing', async () => {
  const served = await serve();
  const client = served.client();
  const { run_id } = await client.runs.create({ prompt: 'x' });
  assert.equal((await client.runs.get(run_id)).state, 'QUEUED');
  const items = client.watch(run_id);
  await items.next();
  await items.return();
  await served.stop();
  await served.stop();
  await assert.rejects(client.withOptions({ maxRetries: 0 }).runs.get(run_id), OzError);
});

test('it has a worker, too, where that is asked for', async () => {
  const served = await serve({ worker: true });
  const client = served.client();
  const { run_id } = await client.runs.create({ prompt: 'do the work' });
  const run = await client.runs.wait(run_id);
  assert.deepEqual([run.state, run.status_message.message], ['SUCCEEDED', 'The pull request is open.']);
  await served.stop();
});

test('its data can outlive it', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'served-'));
  const options = { data_dir: join(dir, 'data'), api_key: `wk-1.${'0123456789abcdef'.repeat(4)}` };
  const first = await serve(options);
  const { run_id } = await first.client().runs.create({ prompt: 'x', title: 'Kept' });
  await first.stop();
  const second = await serve(options);
  assert.equal((await second.client().runs.get(run_id)).title, 'Kept');
  await second.stop();
  rmSync(dir, { recursive: true });
});

test('a wrong option is named', async () => {
  await assert.rejects(serve({ listen: 'nowhere' }), /listen|socket address/);
  await assert.rejects(serve({ worker: true, oz: '/no/such/oz' }), /no\/such\/oz/);
});

test('it keeps a program alive until it is stopped, and a program that ends without stopping it leaves nothing', () => {
  const dir = mkdtempSync(join(tmpdir(), 'program-'));
  const run = (source) => {
    const env = { ...process.env, TMPDIR: dir };
    const done = spawnSync(process.execPath, ['--eval', source], { cwd: here, env, encoding: 'utf8', timeout: 60_000 });
    assert.equal(done.status, 0, `${done.signal ?? ''} ${done.stderr}`);
    return done.stdout.trim();
  };
  const later = "require('oz-sdk').serve().then((s) => setTimeout(() => s.stop().then(() => console.log('stopped')), 300).unref())";
  assert.equal(run(later), 'stopped');
  run("require('oz-sdk').serve().then(() => process.exit())");
  assert.deepEqual(readdirSync(dir), []);
  rmSync(dir, { recursive: true });
});
