// What ends calls early: signals, readers that leave, threads that stop. Nothing is left over by it.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { APIUserAbortError, Oz } from 'oz-sdk';
import { busy } from './inside.mjs';

/** A server that answers half of the calls, and never the others. */
async function halfway(then) {
  const open = new Set();
  let count = 0;
  const server = createServer((request, response) => {
    open.add(response);
    response.on('close', () => open.delete(response));
    count += 1;
    if (count % 2) response.writeHead(200, { 'content-type': 'application/json' }).end('{"models":[]}');
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  try {
    await then(`http://127.0.0.1:${server.address().port}`, open);
  } finally {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  }
}

/** Waits until something is so. */
async function until(so, what) {
  for (let i = 0; !so(); i += 1) {
    assert.ok(i < 600, what);
    await new Promise((later) => setTimeout(later, 50));
  }
}

test('10,000 awaits are aborted half-way: none hangs, no request and no memory is left', async () => {
  await halfway(async (baseURL, open) => {
    const client = new Oz({ baseURL, apiKey: 'k', maxRetries: 0, timeout: 600_000 });
    const round = async () => {
      const controller = new AbortController();
      let settled = 0;
      let halfIsBack;
      const half = new Promise((resolve) => (halfIsBack = resolve));
      const calls = Array.from({ length: 10_000 }, () =>
        client.models
          .list({ signal: controller.signal })
          .then(() => 'answered')
          .catch((error) => (error instanceof APIUserAbortError ? 'aborted' : error))
          .finally(() => ++settled === 100 && halfIsBack()),
      );
      await half;
      controller.abort();
      const outcomes = await Promise.all(calls);
      const odd = outcomes.filter((outcome) => outcome !== 'answered' && outcome !== 'aborted');
      assert.deepEqual(odd, []);
      assert.ok(outcomes.filter((outcome) => outcome === 'aborted').length > 100);
      await until(() => open.size === 0, `${open.size} requests are left at the server`);
      await until(() => busy() === 0, `${busy()} pieces of work are left`);
    };
    await round();
    globalThis.gc?.();
    const before = process.memoryUsage().rss;
    for (let i = 0; i < 3; i += 1) await round();
    globalThis.gc?.();
    const grown = (process.memoryUsage().rss - before) / 1e6;
    assert.ok(grown < 100, `30,000 more calls left ${grown.toFixed()} MB`);
  });
});

test('a signal that was given before ends the call before it begins', async () => {
  const client = new Oz();
  await assert.rejects(client.models.list({ signal: AbortSignal.abort('why') }), (error) => {
    assert.ok(error instanceof APIUserAbortError);
    assert.equal(error.cause, 'why');
    return true;
  });
});

test('a live stream ends when its reader leaves, returns, or its signal says so', async () => {
  const client = new Oz();
  const { run_id } = await client.runs.create({ prompt: 'x', config: { worker_host: 'nowhere' } });
  for await (const item of client.watch(run_id)) {
    assert.ok(item);
    break;
  }
  const items = client.watch(run_id);
  await items.next();
  const waiting = drained(items);
  await items.return();
  assert.equal(await waiting, 'done');
  const controller = new AbortController();
  const aborted = drained(client.watch(run_id, 0, { signal: controller.signal }));
  setTimeout(() => controller.abort(), 50);
  assert.ok((await aborted) instanceof APIUserAbortError);
  await until(() => busy() === 0, 'streams are left open');
  await client.runs.cancel(run_id);
});

/** Reads a stream to its end; gives how it ended. */
async function drained(items) {
  try {
    while (!(await items.next()).done);
    return 'done';
  } catch (error) {
    return error;
  }
}

test('the event loop goes on while calls wait', async () => {
  await halfway(async (baseURL) => {
    const client = new Oz({ baseURL, apiKey: 'k', maxRetries: 0 });
    const controller = new AbortController();
    const waiting = Array.from({ length: 50 }, () => client.models.list({ signal: controller.signal }).catch(() => 0));
    let ticks = 0;
    for (; ticks < 100; ticks += 1) await new Promise((next) => setImmediate(next));
    controller.abort();
    await Promise.all(waiting);
    assert.equal(ticks, 100);
  });
});

test('threads have clients of their own, and may stop while calls wait', async () => {
  await halfway(async (baseURL) => {
    const source = `
      const { parentPort, workerData } = require('node:worker_threads');
      const { Oz } = require(workerData.oz);
      const client = new Oz({ baseURL: workerData.baseURL, apiKey: 'k', maxRetries: 0 });
      const calls = Array.from({ length: 20 }, () => client.models.list());
      calls.forEach((call) => call.catch(() => undefined));
      Promise.any(calls).then((list) => parentPort.postMessage(list));
    `;
    const oz = (await import('node:module')).createRequire(import.meta.url).resolve('oz-sdk');
    const threads = Array.from({ length: 4 }, () => new Worker(source, { eval: true, workerData: { baseURL, oz } }));
    const first = (thread) =>
      new Promise((resolve, reject) => thread.once('message', resolve).once('error', reject));
    assert.deepEqual(await Promise.all(threads.map(first)), Array(4).fill({ models: [] }));
    await Promise.all(threads.map((thread) => thread.terminate()));
    const client = new Oz({ baseURL, apiKey: 'k', timeout: 2000, maxRetries: 1 });
    assert.deepEqual(await client.models.list(), { models: [] }, 'this thread goes on');
  });
});
