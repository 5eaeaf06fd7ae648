// What goes wrong, and how it is told.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { createServer as createSocketServer } from 'node:net';
import { test } from 'node:test';
import { inspect } from 'node:util';
import * as oz from 'oz-sdk';
import { Transport } from './inside.mjs';

const { Oz } = oz;
const client = new Oz({ maxRetries: 0 });

/** The error that a call is rejected with. */
const refused = (call) => call.then((value) => assert.fail(JSON.stringify(value)), (error) => error);

/** A server that answers everything alike. */
async function answering(status, headers, body, then) {
  const server = createServer((_, response) => response.writeHead(status, headers).end(body));
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  try {
    return await then(`http://127.0.0.1:${server.address().port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

test('a problem of the server is a class with its fields', async () => {
  const error = await refused(client.runs.get(randomUUID()));
  assert.ok(error instanceof oz.NotFoundError && error instanceof oz.APIError && error instanceof oz.OzError);
  assert.equal(error.name, 'NotFoundError');
  assert.equal(error.status, 404);
  assert.equal(error.code, 'resource_not_found');
  assert.ok(error.title && error.detail && error.message.includes(error.detail));
  assert.equal(error.body.status, 404);

  const wrong = await refused(client.schedules.create({ name: 'x', cron_schedule: 'every day', prompt: 'x' }));
  assert.ok(wrong instanceof oz.BadRequestError);
  assert.equal(wrong.code, 'invalid_request');
  assert.match(wrong.message, /cron_schedule|every day/);
});

test('a field of the wrong type is told by name before anything is sent', async () => {
  const error = await refused(client.runs.create({ prompt: 7 }));
  assert.ok(error instanceof oz.BadRequestError, inspect(error));
  assert.match(error.message, /prompt/);
});

test('each status has its class', async () => {
  const classes = {
    400: oz.BadRequestError,
    401: oz.AuthenticationError,
    403: oz.PermissionDeniedError,
    404: oz.NotFoundError,
    409: oz.ConflictError,
    422: oz.UnprocessableEntityError,
    429: oz.RateLimitError,
    500: oz.InternalServerError,
    503: oz.InternalServerError,
  };
  for (const [status, Class] of Object.entries(classes)) {
    const body = JSON.stringify({ type: 'about:blank', title: 'No', status: Number(status), detail: 'no', error: 'no' });
    const headers = { 'content-type': 'application/problem+json', 'retry-after': '7' };
    const error = await answering(Number(status), headers, body, (baseURL) =>
      refused(client.withOptions({ baseURL }).models.list()),
    );
    assert.equal(error.constructor, Class, `${status}: ${inspect(error)}`);
    assert.equal(error.status, Number(status));
    if (status === '429') assert.equal(error.retryAfter, 7);
  }
});

test('a key that is not good is an AuthenticationError, and is shown nowhere', async () => {
  const apiKey = 'wk-1.nonsense';
  const other = client.withOptions({ apiKey });
  const error = await refused(other.runs.list());
  assert.ok(error instanceof oz.AuthenticationError);
  assert.ok(!inspect([other, error], { depth: 9, showHidden: true }).includes('nonsense'));
});

test('nobody there, nothing answered in time, an answer that is none', async () => {
  const closed = await answering(200, {}, '', (url) => url);
  const gone = await refused(client.withOptions({ baseURL: closed }).models.list());
  assert.equal(gone.constructor, oz.APIConnectionError);

  const silent = createSocketServer(() => undefined);
  await new Promise((ready) => silent.listen(0, '127.0.0.1', ready));
  const deaf = client.withOptions({ baseURL: `http://127.0.0.1:${silent.address().port}` });
  const late = await refused(deaf.models.list({ timeout: 100 }));
  assert.ok(late instanceof oz.APIConnectionTimeoutError, inspect(late));
  silent.close();

  const none = await answering(200, { 'content-type': 'application/json' }, '<html>', (baseURL) =>
    refused(client.withOptions({ baseURL }).models.list()),
  );
  assert.ok(none instanceof oz.APIError && none.kind === 'decode', inspect(none));
});

test('a client that can not be made says so at once', () => {
  assert.throws(() => new Oz({ baseURL: 'not an address' }), oz.OzError);
  assert.throws(() => new Oz({ apiKey: 'with\nnewline' }), oz.OzError);
});

test('a panic of the native part is an error, and the client goes on', async () => {
  const transport = new Transport({});
  const error = await refused(transport.call('debug.panic', {}));
  assert.ok(error instanceof oz.PanicError, inspect(error));
  assert.ok((await client.models.list()).models);
});

test('a call goes on after failures that pass', async () => {
  let calls = 0;
  const server = createServer((_, response) => {
    calls += 1;
    if (calls < 3) response.writeHead(503, { 'retry-after': '0' }).end('{}');
    else response.writeHead(200, { 'content-type': 'application/json' }).end('{"models":[]}');
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  const baseURL = `http://127.0.0.1:${server.address().port}`;
  await client.withOptions({ baseURL }).models.list({ maxRetries: 5 }).catch(() => undefined);
  assert.ok(calls >= 3, `${calls} calls`);
  calls = 0;
  await refused(client.withOptions({ baseURL }).models.list({ maxRetries: 0 }));
  assert.equal(calls, 1);
  server.closeAllConnections();
  server.close();
});
