// Drives every method of the published npm package `oz-agent-sdk` against a server.
//
// Wants OZ_API_BASE_URL and WARP_API_KEY (the personal key of a team admin who is on exactly one team), and a worker
// whose scripted model answers the prompt "do the work" with one pull request.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import OzAPI, {
  APIConnectionError,
  APIConnectionTimeoutError,
  APIError,
  APIUserAbortError,
  AuthenticationError,
  BadRequestError,
  NotFoundError,
  PermissionDeniedError,
} from 'oz-agent-sdk';
import { APIResource } from 'oz-agent-sdk/core/resource';

const BASE = process.env.OZ_API_BASE_URL.replace(/\/$/, '');
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=';
const NOWHERE = { worker_host: 'nowhere' }; // No such worker: the run stays queued for ever.
const SKILL = 'acme/app:deploy';
const ENDED = ['SUCCEEDED', 'FAILED', 'ERROR', 'BLOCKED', 'CANCELLED'];
const tag = randomUUID().slice(0, 8);
const mine = { pass: tag }; // Metadata on every run of this pass, so that lists see no others.

// --- Recording and coverage ------------------------------------------------------------------------------------------

const called = new Set();

/** The client or resource with its resources' calls recorded by path. */
const recorded = (target, path = '') =>
  new Proxy(target, {
    get(object, name) {
      const value = object[name];
      const here = path ? `${path}.${String(name)}` : String(name);
      if (value instanceof APIResource) return recorded(value, here);
      if (typeof value !== 'function' || !(object instanceof APIResource)) return value;
      return (...args) => {
        called.add(here);
        return value.apply(object, args);
      };
    },
  });

/** Every method under a client or resource, found in the prototypes. */
function* surface(object, path = '') {
  const at = (name) => (path ? `${path}.${name}` : name);
  if (object instanceof APIResource)
    for (const name of Object.getOwnPropertyNames(Object.getPrototypeOf(object)))
      if (name !== 'constructor' && typeof object[name] === 'function') yield at(name);
  for (const [name, value] of Object.entries(object))
    if (value instanceof APIResource) yield* surface(value, at(name));
}

// The raw client is kept apart: its private fields don't work through a proxy.
const raw = new OzAPI({ maxRetries: 0 });
const agent = recorded(raw).agent;
const as = (apiKey) => raw.withOptions({ apiKey });

// --- Checks ----------------------------------------------------------------------------------------------------------

/** The call must be rejected with exactly one of `kinds`, with a problem document. */
async function refused(call, kinds, code) {
  const error = await call().then(
    (value) => assert.fail(`accepted with ${JSON.stringify(value)}: ${call}`),
    (error) => error,
  );
  kinds = [kinds].flat();
  assert.ok(kinds.includes(error.constructor), `expected ${kinds.map((kind) => kind.name)}, got ${error}`);
  assert.ok(error instanceof APIError);
  const { error: problem, headers, status } = error;
  assert.match(headers.get('content-type') ?? '', /^application\/problem\+json/);
  for (const field of ['type', 'title', 'error'])
    assert.ok(is.text(problem?.[field]), `${field} is missing: ${JSON.stringify(problem)}`);
  assert.equal(problem.status, status);
  if (code) assert.ok(problem.type.replaceAll('-', '_').includes(code), `expected ${code}: ${problem.type}`);
}

/** `got` echoes `sent`. Servers may add fields. */
function same(got, sent, where) {
  if (typeof sent !== 'object' || sent === null || Array.isArray(sent)) return assert.deepEqual(got, sent, where);
  for (const [key, value] of Object.entries(sent)) same(got?.[key], value, `${where}.${key}`);
}

const is = {
  text: (v) => typeof v === 'string' && v !== '',
  any: (v) => typeof v === 'string',
  bool: (v) => typeof v === 'boolean',
  time: (v) => typeof v === 'string' && /^\d{4}-\d\d-\d\dT.*(Z|[+-]\d\d:\d\d)$/.test(v) && !Number.isNaN(Date.parse(v)),
  id: (v) => typeof v === 'string' && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(v),
  list: Array.isArray,
  object: (v) => typeof v === 'object' && v !== null && !Array.isArray(v),
  cost: (v) => typeof v === 'number' && v >= 0,
  or: (inner) => (v) => v === undefined || v === null || inner(v),
};

/** `is` for every field: the package has no types at run time. */
function typed(item, kinds) {
  for (const [field, fits] of Object.entries(kinds)) assert.ok(fits(item[field]), `${field}: ${JSON.stringify(item)}`);
}

const PROFILE = {
  display_name: is.or(is.any),
  photo_url: is.or(is.any),
  type: (v) => ['user', 'service_account'].includes(v),
  uid: is.text,
};
const RUN = {
  run_id: is.id,
  task_id: is.id,
  title: is.text,
  prompt: is.any,
  created_at: is.time,
  updated_at: is.time,
  started_at: is.or(is.time),
  state: is.text,
  source: is.text,
  creator: is.object,
  agent_config: is.object,
  is_sandbox_running: is.bool,
  artifacts: is.or(is.list),
  agent_skill: is.or(is.object),
  conversation_id: is.or(is.id),
  request_usage: is.or(is.object),
  schedule: is.or(is.object),
  scope: is.object,
  session_id: is.or(is.id),
  session_link: is.or(is.text),
  status_message: is.or(is.object),
};
const SCHEDULE = {
  id: is.text,
  name: is.text,
  cron_schedule: is.text,
  enabled: is.bool,
  prompt: is.any,
  created_at: is.time,
  updated_at: is.time,
  agent_config: is.or(is.object),
  created_by: is.object,
  environment: is.or(is.object),
  history: is.or(is.object),
  last_spawn_error: is.or(is.any),
  scope: is.object,
  updated_by: is.or(is.object),
};

/** The instant between two times, which must differ by more than a millisecond. */
function between(early, late) {
  const [a, b] = [Date.parse(early), Date.parse(late)];
  assert.ok(b - a > 1, `${early} must be before ${late}`);
  return new Date((a + b) / 2).toISOString();
}

// --- Helpers ---------------------------------------------------------------------------------------------------------

/** Plain HTTP, for what the package has no methods for. */
async function send(method, path, status, body) {
  const response = await fetch(`${BASE}/agent/${path}`, {
    method,
    headers: { authorization: `Bearer ${process.env.WARP_API_KEY}`, 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  assert.equal(response.status, status, `${method} ${path}: ${text}`);
  return text ? JSON.parse(text) : null;
}

/** Dispatches a run that stays queued and gives its id. */
async function queue(title, { config, metadata, ...params } = {}, options) {
  const body = { prompt: 'Wait here.', title, ...params };
  // This package is older than metadata, but it sends what it is given.
  body.metadata = { ...mine, ...metadata };
  body.config = { ...NOWHERE, ...config };
  const made = await agent.run(body, options);
  typed(made, { run_id: is.id, task_id: is.id });
  assert.equal(made.run_id, made.task_id);
  assert.equal(made.state, 'QUEUED');
  return made.run_id;
}

const get = (id) => agent.runs.retrieve(id);

/** Every run that matches, page by page: this package has no pager. */
async function listed(query = {}) {
  const items = [];
  query = { limit: 100, ...query, metadata: { ...mine, ...query.metadata } };
  for (let cursor; ; ) {
    const page = await agent.runs.list({ ...query, cursor });
    assert.equal(typeof page.page_info.has_next_page, 'boolean');
    assert.ok(page.runs.length <= query.limit, `${page.runs.length} runs on a page of ${query.limit}`);
    items.push(...page.runs);
    cursor = page.page_info.next_cursor;
    if (!page.page_info.has_next_page) return items;
    assert.ok(cursor, 'next_cursor is missing');
  }
}

async function wait(id, until, pause = 300, limit = 180_000) {
  for (const deadline = Date.now() + limit; ; await sleep(pause)) {
    const item = await get(id);
    if (until(item)) return item;
    assert.ok(item.state === 'SUCCEEDED' || !ENDED.includes(item.state), JSON.stringify(item));
    assert.ok(Date.now() < deadline, `${id} is ${item.state} after ${limit} ms`);
  }
}

function pullRequest(item) {
  const found = item.artifacts.find((a) => a.artifact_type === 'PULL_REQUEST');
  assert.ok(is.time(found?.created_at), JSON.stringify(item.artifacts));
  assert.deepEqual([found.data.url, found.data.branch], ['https://example.com/pull/1', 'fix']);
}

// --- The scenario ----------------------------------------------------------------------------------------------------

const w = {}; // What earlier steps made.

const steps = {
  async prepare() {
    const config = { name: `env-${tag}`, setup_commands: [], github_repos: [] };
    w.environment = (await send('POST', 'environments', 201, { config })).uid;
    assert.match(w.environment, /^[A-Za-z0-9]{22}$/);
    const params = { prompt: 'do the work', config: { name: `real-${tag}` }, metadata: mine };
    w.done = (await agent.run(params)).run_id; // It works while the rest goes on.
  },

  async keys() {
    await refused(() => as('nonsense').agent.runs.list(), AuthenticationError, 'authentication_required');
    const { raw_api_key, api_key } = await send('POST', 'api-keys', 201, { name: `key-${tag}` });
    const short = as(raw_api_key);
    await short.agent.runs.list({ limit: 1 });
    await send('DELETE', `api-keys/${api_key.uid}`, 204);
    await refused(() => short.agent.runs.list(), AuthenticationError);

    // The client's own verbs reach what this package has no methods for.
    w.robot = (await raw.post('/agent/identities', { body: { name: `robot-${tag}` } })).uid;
    const made = await send('POST', 'api-keys', 201, { name: `robot-${tag}`, agent_uid: w.robot });
    w.robotClient = as(made.raw_api_key);
    const child = { body: { name: `child-${tag}` } };
    await refused(() => w.robotClient.post('/agent/identities', child), PermissionDeniedError, 'not_authorized');
    const patched = await raw.put(`/agent/identities/${w.robot}`, { body: { description: 'Works.' } });
    assert.deepEqual([patched.name, patched.description], [`robot-${tag}`, 'Works.']);
    assert.equal((await raw.get(`/agent/identities/${w.robot}`)).description, 'Works.');
  },

  async dispatch() {
    w.plain = await queue('Quixotic zeppelin', { config: { name: `plain-${tag}` }, prompt: 'Look at the clouds.' });
    const plain = await get(w.plain);
    typed(plain, RUN);
    typed(plain.creator, PROFILE);
    w.me = plain.creator.uid;
    assert.deepEqual([plain.run_id, plain.task_id], [w.plain, w.plain]);
    assert.deepEqual([plain.title, plain.prompt], ['Quixotic zeppelin', 'Look at the clouds.']);
    assert.deepEqual([plain.state, plain.source, plain.scope.type], ['QUEUED', 'API', 'Team']);
    assert.equal(plain.creator.type, 'user');
    assert.equal(plain.started_at ?? null, null);

    await sleep(50); // So that a time fits between the two.
    const config = {
      name: `full-${tag}`,
      model_id: 'example/large',
      base_prompt: 'Be careful.',
      environment_id: w.environment,
      skill_spec: SKILL,
      mcp_servers: {
        docs: { url: 'https://example.com/mcp', headers: { 'X-Team': 'a' } },
        files: { command: 'mcp-files', args: ['--ro'], env: { A: 'b' } },
      },
      computer_use_enabled: false,
      worker_host: 'nowhere',
    };
    const images = [{ data: PNG, mime_type: 'image/png' }];
    w.full = await queue('Repair the database', { prompt: 'Find the broken index.', config, images, team: true });
    const full = await get(w.full);
    typed(full, RUN);
    same(full.agent_config, config, 'agent_config');
    w.createdBetween = between(plain.created_at, full.created_at);

    const other = { config: { skill_spec: 'acme/app:other' }, skill: SKILL, prompt: undefined };
    assert.equal((await get(await queue('By skill', other))).agent_config.skill_spec, SKILL, 'skill must win');
    assert.equal((await get(await queue('Mine', { team: false }))).scope.type, 'User');
    const untitled = await agent.run({ prompt: 'Count the stars.', config: NOWHERE, metadata: mine });
    assert.ok((await get(untitled.run_id)).title, 'a title must be made from the prompt');
    w.cli = await queue('From elsewhere', {}, { headers: { 'X-Oz-Api-Source': 'CLI' } });
    w.byAgent = (
      await w.robotClient.agent.run({ prompt: 'x', title: 'By an agent', config: NOWHERE, metadata: mine })
    ).run_id;
    const byAgent = await get(w.byAgent);
    assert.deepEqual([byAgent.creator.type, byAgent.creator.uid], ['service_account', w.robot]);

    const image = images[0];
    for (const bad of [
      {},
      { prompt: '' },
      { prompt: 'x', images: Array(6).fill(image) },
      { prompt: 'x', images: [{ ...image, data: '*' }] },
      { prompt: 'x', config: { mcp_servers: { m: { url: 'https://example.com', command: 'c' } } } },
      { prompt: 'x', config: { mcp_servers: { m: {} } } },
    ])
      await refused(
        () => agent.run({ ...bad, config: { ...NOWHERE, ...bad.config } }),
        BadRequestError,
        'invalid_request',
      );
  },

  async cancel() {
    w.cancelled = await queue('Never mind');
    assert.equal(await agent.runs.cancel(w.cancelled), w.cancelled);
    assert.equal((await get(w.cancelled)).state, 'CANCELLED');
    await refused(() => agent.runs.cancel(w.cancelled), BadRequestError, 'invalid_request');
    await refused(() => agent.runs.cancel(randomUUID()), NotFoundError, 'resource_not_found');
  },

  async retrieve() {
    await refused(() => get(randomUUID()), NotFoundError, 'resource_not_found');
    await refused(() => get('not-a-run'), BadRequestError, 'invalid_request');
    const item = await wait(w.done, (r) => r.state === 'SUCCEEDED');
    typed(item, RUN);
    typed(item, { artifacts: is.list, conversation_id: is.id, request_usage: is.object, started_at: is.time });
    typed(item.creator, PROFILE);
    typed(item.scope, { type: (v) => v === 'Team', uid: is.text });
    typed(item.request_usage, { compute_cost: is.or(is.cost), inference_cost: is.or(is.cost) });
    if (item.status_message) typed(item.status_message, { message: is.any });
    assert.deepEqual([item.run_id, item.prompt, item.source], [w.done, 'do the work', 'API']);
    assert.deepEqual([item.creator.uid, item.agent_config.name], [w.me, `real-${tag}`]);
    const [created, started, updated] = [item.created_at, item.started_at, item.updated_at].map((t) => Date.parse(t));
    assert.ok(created <= started && started <= updated && created < updated, JSON.stringify(item));
    pullRequest(item);
    await refused(() => agent.runs.cancel(w.done), BadRequestError);
  },

  async filters() {
    const { plain, full, done, cancelled, cli, byAgent } = w;
    const updatedBetween = between((await get(plain)).updated_at, (await get(cancelled)).updated_at);
    // Query, runs that match, runs that don't. From `executor` on, the package doesn't know the parameters yet.
    for (const [query, match, miss] of [
      [{}, [plain, full, done, cancelled, cli, byAgent], []],
      [{ state: ['QUEUED'] }, [plain, full], [done, cancelled]],
      [{ state: ['SUCCEEDED', 'CANCELLED'] }, [done, cancelled], [plain, full]],
      [{ name: `plain-${tag}` }, [plain], [full, done]],
      [{ model_id: 'example/large' }, [full], [plain]],
      [{ creator: w.me }, [plain, full], [byAgent]],
      [{ creator: w.robot }, [byAgent], [plain, full]],
      [{ source: 'API' }, [plain, done], [cli]],
      [{ source: 'CLI' }, [cli], [plain]],
      [{ created_after: w.createdBetween }, [full], [plain, done]],
      [{ created_before: w.createdBetween }, [plain, done], [full]],
      [{ updated_after: updatedBetween }, [cancelled], [plain]],
      [{ environment_id: w.environment }, [full], [plain, done]],
      [{ environment_id: 'empty-environment' }, [plain, done], [full]],
      [{ skill: SKILL }, [full], [plain]],
      [{ skill_spec: SKILL }, [full], [plain]],
      [{ schedule_id: randomUUID() }, [], [plain, full]],
      [{ artifact_type: 'PULL_REQUEST' }, [done], [plain]],
      [{ artifact_type: 'PLAN' }, [], [done, plain]],
      [{ q: 'zeppelin' }, [plain], [full, done]],
      [{ q: 'clouds' }, [plain], [full, done]],
      [{ q: 'deploy' }, [full], [plain, done]],
      [{ state: ['QUEUED'], creator: w.me, q: 'zeppelin' }, [plain], [full, byAgent, done]],
      [{ executor: w.robot }, [byAgent], [plain]],
      [{ execution_location: 'REMOTE' }, [plain, done], []],
      [{ execution_location: 'LOCAL' }, [], [plain, done]],
    ]) {
      const found = (await listed(query)).map((r) => r.run_id);
      const what = `${JSON.stringify(query)} found ${found}`;
      for (const id of match) assert.ok(found.includes(id), `${what}, not ${id}`);
      for (const id of miss) assert.ok(!found.includes(id), `${what}, with ${id}`);
      if (!match.length) assert.deepEqual(found, [], what);
    }
    for (const query of [
      { limit: 0 },
      { limit: 501 },
      { state: ['ASLEEP'] },
      { source: 'MARS' },
      { created_after: 'yesterday' },
      { cursor: 'nonsense' },
    ])
      await refused(() => agent.runs.list(query), BadRequestError, 'invalid_request');
    assert.ok((await agent.runs.list()).runs.length <= 20, 'the default limit is 20');
  },

  async sorts_and_pages() {
    const metadata = { set: `pages-${tag}` };
    const skills = ['acme/app:b', undefined, 'acme/app:a', undefined, 'acme/app:c', undefined, undefined];
    const made = [];
    for (const [i, letter] of [...'dbgacfe'].entries()) {
      made.push(await queue(`${letter} ${tag}`, { config: { skill_spec: skills[i] }, metadata }));
      await sleep(10);
    }
    await agent.runs.cancel(made[2]); // Now the order by change isn't the one by creation.
    const keys = {
      updated_at: (r) => r.updated_at,
      created_at: (r) => r.created_at,
      title: (r) => r.title,
      agent: (r) => r.agent_config.skill_spec,
    };
    for (const [sort_by, key] of Object.entries(keys))
      for (const sort_order of ['desc', 'asc']) {
        // Nothing is sent that is the default anyway: updated_at, desc.
        const query = { metadata, limit: 2 };
        if (sort_by !== 'updated_at') query.sort_by = sort_by;
        if (sort_order !== 'desc') query.sort_order = sort_order;
        const items = await listed(query);
        const ids = items.map((r) => r.run_id);
        assert.deepEqual([...ids].sort(), [...made].sort(), `${sort_by} ${sort_order} must give every run once`);
        let values = items.map(key);
        if (sort_by === 'agent') {
          assert.ok(values.slice(3).every((v) => v == null), `runs without a skill must come last: ${values}`);
          values = values.slice(0, 3);
        }
        const times = sort_by.endsWith('_at');
        const sorted = values.toSorted((a, b) => (times ? Date.parse(a) - Date.parse(b) : a < b ? -1 : 1));
        assert.deepEqual(values, sort_order === 'asc' ? sorted : sorted.reverse(), `${sort_by} ${sort_order}`);
        if (sort_by === 'updated_at') assert.equal(ids.at(sort_order === 'desc' ? 0 : -1), made[2]);
      }
    const first = await agent.runs.list({ limit: 2, metadata });
    const cursor = first.page_info.next_cursor;
    for (const sort of [{ sort_by: 'title' }, { sort_order: 'asc' }])
      await refused(() => agent.runs.list({ limit: 2, metadata, cursor, ...sort }), BadRequestError);
    const whole = await agent.runs.list({ limit: 500, metadata });
    assert.equal(whole.runs.length, 7);
    assert.ok(!whole.page_info.has_next_page && !whole.page_info.next_cursor);
    assert.deepEqual((await agent.runs.list({ metadata: { set: `none-${tag}` } })).runs, []);
  },

  async conversation() {
    const { conversation_id } = await get(w.done);
    const id = await queue('Goes on', { conversation_id, prompt: undefined });
    assert.equal((await get(id)).conversation_id, conversation_id);
    await refused(() => queue('Goes on', { conversation_id: randomUUID() }), [BadRequestError, NotFoundError]);
  },

  async skills() {
    for (const query of [undefined, { sort_by: 'name', refresh: true }, { sort_by: 'last_run' }])
      assert.ok(is.list((await agent.list(query)).agents));
    await refused(() => agent.list({ repo: 'x' }), BadRequestError, 'invalid_request');
  },

  async schedules() {
    const { schedules } = agent;
    const wanted = {
      name: `b-${tag}`,
      cron_schedule: '0 9 * * *',
      prompt: 'Tidy up.',
      enabled: true,
      agent_config: { name: `nightly-${tag}`, environment_id: w.environment, ...NOWHERE },
    };
    const made = await schedules.create({ ...wanted, team: true });
    typed(made, SCHEDULE);
    same(made, wanted, 'schedule');
    assert.deepEqual([made.scope.type, made.created_by.uid, made.environment.name], ['Team', w.me, `env-${tag}`]);
    const due = new Date(made.history.next_run);
    assert.deepEqual([due.getUTCHours(), due.getUTCMinutes()], [9, 0]);
    assert.ok(due > Date.now() && due <= Date.now() + 86_400_000, made.history.next_run);
    assert.deepEqual(await schedules.retrieve(made.id), made, 'retrieve must give what create gave');
    const off = { name: `a-${tag}`, cron_schedule: '*/5 * * * *', prompt: 'x', enabled: false };
    const minimal = await schedules.create(off);
    assert.ok(minimal.enabled === false && !minimal.history?.next_run, JSON.stringify(minimal));
    const all = (await schedules.list()).schedules;
    all.forEach((s) => typed(s, SCHEDULE));
    const names = all.map((s) => s.name).filter((name) => name.includes(tag));
    assert.deepEqual(names, [`a-${tag}`, `b-${tag}`], 'must be by name');
    assert.deepEqual(all.find((s) => s.id === made.id), made, 'list must give what create gave');

    const changed = {
      name: `c-${tag}`,
      cron_schedule: '30 10 * * 1',
      prompt: 'Tidy up more.',
      enabled: true,
      agent_config: { name: `weekly-${tag}`, ...NOWHERE },
    };
    const updated = await schedules.update(made.id, changed);
    same(updated, changed, 'schedule');
    const next = new Date(updated.history.next_run);
    assert.deepEqual([next.getUTCDay(), next.getUTCHours(), next.getUTCMinutes()], [1, 10, 30]);
    assert.equal(updated.updated_by.uid, w.me);
    const paused = await schedules.pause(made.id);
    assert.ok(paused.enabled === false && !paused.history?.next_run, JSON.stringify(paused));
    const resumed = await schedules.resume(made.id);
    assert.deepEqual([resumed.enabled, resumed.history.next_run], [true, updated.history.next_run]);

    const valid = { name: `x-${tag}`, cron_schedule: '0 9 * * *', prompt: 'x' };
    for (const bad of [{ cron_schedule: 'every day' }, { cron_schedule: '0 25 * * *' }, { prompt: '' }, { name: '' }])
      await refused(() => schedules.create({ ...valid, ...bad }), BadRequestError, 'invalid_request');
    await refused(() => schedules.update(made.id, { ...changed, cron_schedule: '61 * * * *' }), BadRequestError);
    assert.deepEqual(await listed({ schedule_id: made.id }), [], "it hasn't run yet");
    for (const { id } of [made, minimal]) assert.deepEqual(await schedules.delete(id), { success: true });
    for (const call of ['retrieve', 'delete', 'pause', 'resume'])
      await refused(() => schedules[call](made.id), NotFoundError, 'resource_not_found');
    await refused(() => schedules.update(made.id, changed), NotFoundError);
  },

  async responses() {
    const response = await agent.runs.retrieve(w.plain).asResponse();
    assert.equal(response.status, 200);
    assert.match(response.headers.get('content-type'), /^application\/json/);
    assert.equal((await response.json()).run_id, w.plain);
    const both = await agent.runs.list({ limit: 2, metadata: mine }).withResponse();
    assert.deepEqual([both.response.status, both.data.runs.length], [200, 2]);
    const body = { name: `raw-${tag}`, cron_schedule: '0 9 * * *', prompt: 'x', enabled: false };
    const created = await agent.schedules.create(body).withResponse();
    assert.equal(created.response.status, 201);
    await agent.schedules.delete(created.data.id);
    const cancelled = await agent.runs.cancel(await queue('Raw')).withResponse();
    assert.match(cancelled.response.headers.get('content-type'), /^application\/json/);
  },

  async options() {
    const item = await agent.runs.retrieve(w.plain, { timeout: 20_000, maxRetries: 1, headers: { 'X-A': 'b' } });
    assert.equal(item.run_id, w.plain);
    const tuned = raw.withOptions({ maxRetries: 1, timeout: 30_000 });
    assert.equal((await tuned.agent.runs.retrieve(w.plain)).run_id, w.plain);
    const stop = AbortSignal.abort();
    await assert.rejects(agent.runs.retrieve(w.plain, { signal: stop }), (e) => e.constructor === APIUserAbortError);

    const sockets = new Set();
    const silent = createServer((socket) => sockets.add(socket)); // It never answers.
    await new Promise((ready) => silent.listen(0, '127.0.0.1', ready));
    const deaf = raw.withOptions({ baseURL: `http://127.0.0.1:${silent.address().port}/api/v1` });
    const call = deaf.agent.runs.retrieve(w.plain, { timeout: 200 });
    await assert.rejects(call, (e) => e.constructor === APIConnectionTimeoutError);
    sockets.forEach((socket) => socket.destroy());
    await new Promise((closed) => silent.close(closed));
    await assert.rejects(deaf.agent.runs.retrieve(w.plain), (e) => e.constructor === APIConnectionError);
  },

  async clean() {
    for (const { run_id } of await listed({ state: ['QUEUED'] })) await agent.runs.cancel(run_id);
    assert.deepEqual(await listed({ state: ['QUEUED'] }), []);
    assert.equal(await raw.delete(`/agent/identities/${w.robot}`), null);
    await refused(() => w.robotClient.agent.runs.list(), AuthenticationError);
    await send('DELETE', `environments/${w.environment}`, 204);
  },

  async coverage() {
    const methods = [...surface(raw)];
    assert.ok(methods.length >= 12, `the walk found too few methods: ${methods}`);
    assert.deepEqual(methods.filter((m) => !called.has(m)), [], "methods that this script doesn't drive");
  },
};

for (const [name, step] of Object.entries(steps)) {
  await step();
  console.log(`ok OzAPI (npm): ${name.replaceAll('_', ' ')}`);
}
