// Harnesses and worker backends written in JavaScript, driven by the real run driver and the real worker.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import ts from 'typescript';
import { BadRequestError, canTransition, nextState, Oz, OzError, runLocal, runTask, validate, work } from 'oz-sdk';
import { busy, dist, schemas } from './inside.mjs';

const client = new Oz();

/** Says what it was asked, writes a file, and ends as it is told. */
class Echo {
  name = 'echo';
  asked = [];
  constructor(end = 'succeeded') {
    this.end = end;
  }
  async *start(task) {
    this.asked.push(task);
    yield { type: 'text', text: `You said: ${task.prompt}` };
    yield { type: 'state', state: this.end, message: 'Said.' };
  }
  cancel() {}
}

/** Works until it is told to stop. */
class Endless {
  name = 'endless';
  cancelled = false;
  left = false;
  #stop = Promise.withResolvers?.() ?? resolvers();
  async *start() {
    try {
      yield { type: 'text', text: 'I work.' };
      await this.#stop.promise;
      yield { type: 'state', state: 'cancelled', message: 'As you like.' };
    } finally {
      this.left = true;
    }
  }
  cancel() {
    this.cancelled = true;
    this.#stop.resolve();
  }
}

function resolvers() {
  let resolve;
  return { promise: new Promise((done) => (resolve = done)), resolve };
}

test('a run is driven here by a harness of our own, and recorded where we say', async () => {
  const harness = new Echo();
  const events = [];
  const result = await runLocal({ prompt: 'hello', harness, client, onEvent: (event) => events.push(event) });
  assert.equal(result.state, 'SUCCEEDED');
  assert.equal(harness.asked[0].prompt, 'hello');
  assert.ok(events.some((event) => event.type === 'run_started' && event.run_id === result.run_id));
  assert.ok(events.some((event) => event.type === 'event' && event.event.text === 'You said: hello'));
  const run = await client.runs.get(result.run_id);
  assert.equal(run.state, 'SUCCEEDED');
  const lines = (await client.transcript(result.run_id).text()).split('\n');
  assert.ok(lines.some((line) => line.includes('You said: hello')), 'the transcript has it');
});

test('a harness that throws, or that says nonsense, is a run that failed', async () => {
  const throwing = { name: 'bad', async *start() { throw new Error('no idea'); }, cancel() {} };
  const failed = await runLocal({ prompt: 'x', harness: throwing });
  assert.equal(failed.state === 'FAILED' || failed.state === 'ERROR', true, failed.state);
  assert.match(failed.status.message, /no idea/);
  const nonsense = { name: 'odd', async *start() { yield { type: 'what' }; }, cancel() {} };
  assert.match((await runLocal({ prompt: 'x', harness: nonsense })).status.message, /odd/);
});

test('a signal cancels what a harness does, and it may leave its generator', async () => {
  const harness = new Endless();
  const controller = new AbortController();
  const onEvent = (event) => event.type === 'event' && event.event.text === 'I work.' && controller.abort();
  const result = await runLocal({ prompt: 'x', harness, onEvent, signal: controller.signal });
  assert.equal(result.state, 'CANCELLED');
  assert.ok(harness.cancelled);
  for (let i = 0; !harness.left && i < 200; i += 1) await new Promise((later) => setTimeout(later, 10));
  assert.ok(harness.left, 'its generator was left');
});

test('a worker hands runs to a function, which drives them with a harness of our own', async () => {
  const worker_id = `ours-${randomUUID().slice(0, 8)}`;
  const controller = new AbortController();
  const seen = [];
  const working = work({ worker_id, lease: 3, signal: controller.signal }, async (task, stop) => {
    seen.push(task.prompt);
    if (task.prompt === 'break') throw new Error('the machine is on fire');
    const harness = task.prompt === 'stay' ? new Endless() : new Echo();
    await runTask(task, { harness, signal: stop });
  });
  const make = async (prompt) => (await client.runs.create({ prompt, config: { worker_host: worker_id } })).run_id;
  const [good, bad, stay] = [await make('hello'), await make('break'), await make('stay')];
  assert.equal((await client.runs.wait(good)).state, 'SUCCEEDED');
  const broken = await client.runs.wait(bad);
  assert.ok(['FAILED', 'ERROR'].includes(broken.state), broken.state);
  assert.match(broken.status_message.message, /on fire/);
  for await (const item of client.watch(stay)) if (item.kind === 'entry' && item.entry.event.text === 'I work.') break;
  await client.runs.cancel(stay);
  assert.equal((await client.runs.wait(stay)).state, 'CANCELLED');
  controller.abort();
  await working;
  assert.deepEqual(seen.sort(), ['break', 'hello', 'stay']);
});

/** Asks which colour, and remembers what was said. */
class Asker {
  name = 'asker';
  said = [];
  #answered = resolvers();
  constructor(tasks) {
    this.tasks = tasks;
  }
  async *start(task) {
    this.tasks.push(task);
    this.said = [...(task.saved ? JSON.parse(task.saved.content) : []), task.prompt];
    if (!task.saved) {
      const request_id = randomUUID();
      yield { type: 'request', request: { request_id, kind: 'question', title: 'Which colour?' } };
      const [asked, answer] = await this.#answered.promise;
      assert.equal(asked, request_id);
      yield { type: 'answered', request_id, answer };
      this.said.push(answer.text);
    }
    yield { type: 'state', state: 'succeeded', message: this.said.join(', ') };
  }
  answer(requestId, answer) {
    this.#answered.resolve([requestId, answer]);
  }
  async save() {
    return { session_id: 'talk', content: JSON.stringify(this.said) };
  }
  cancel() {}
}

test('a harness asks a human, and goes on with its conversation', async () => {
  const worker_id = `asks-${randomUUID().slice(0, 8)}`;
  const controller = new AbortController();
  const tasks = [];
  const working = work({ worker_id, signal: controller.signal }, async (task, signal) => {
    await runTask(task, { harness: new Asker(tasks), signal });
  });
  const { run_id } = await client.runs.create({ prompt: 'paint', config: { worker_host: worker_id } });
  let asked;
  for (let i = 0; !asked && i < 1200; i += 1) {
    [asked] = (await client.runs.requests(run_id, { open: true })).requests;
    await new Promise((later) => setTimeout(later, 50));
  }
  assert.equal(asked.title, 'Which colour?');
  await client.runs.answer(run_id, asked.request_id, { decision: 'answer', text: 'blue' });
  assert.equal((await client.runs.wait(run_id)).status_message.message, 'paint, blue');
  await client.runs.followUp(run_id, { message: 'again' });
  assert.equal((await client.runs.wait(run_id)).status_message.message, 'paint, blue, again');
  assert.equal(tasks[0].saved ?? null, null);
  assert.deepEqual([tasks[1].saved.format, tasks[1].saved.session_id], ['asker', 'talk']);
  controller.abort();
  await working;
});

test('a worker that can not be says so', async () => {
  await assert.rejects(work({ worker_id: '' }, async () => undefined), OzError);
});

test('the state machine and the checks are those of the core', () => {
  assert.equal(canTransition('QUEUED', 'CANCELLED'), true);
  assert.equal(canTransition('SUCCEEDED', 'CLAIMED'), false);
  assert.equal(nextState('QUEUED', 'cancel'), 'CANCELLED');
  assert.throws(() => nextState('SUCCEEDED', 'claim'), OzError);
  assert.deepEqual(validate('AgentConfig', { model_id: 'm' }), { model_id: 'm' });
  assert.throws(
    () => validate('AgentConfig', { idle_timeout_minutes: 9000 }),
    (error) => error instanceof BadRequestError && error.field === 'config.idle_timeout_minutes',
  );
});

test('the options of what runs here are declared as they are read', () => {
  const declared = new Map();
  for (const file of ['harness', 'worker', 'serve']) {
    const source = ts.createSourceFile(file, readFileSync(join(dist, `${file}.d.ts`), 'utf8'), ts.ScriptTarget.ES2022, true);
    for (const node of source.statements.filter(ts.isInterfaceDeclaration)) {
      const members = node.members.filter(ts.isPropertySignature);
      declared.set(node.name.text, new Map(members.map((each) => [each.name.getText(), Boolean(each.questionToken)])));
    }
  }
  const ofOurOwn = { LocalOptions: ['harness', 'client', 'onEvent', 'signal'] };
  for (const name of Object.keys(schemas()).filter((name) => /Options$/.test(name))) {
    const said = declared.get(name);
    const { properties, required = [] } = schemas()[name];
    const names = [...said.keys()].filter((field) => !ofOurOwn[name]?.includes(field));
    assert.deepEqual(names.sort(), Object.keys(properties).sort(), name);
    for (const field of required) assert.equal(said.get(field), false, `${name}.${field} is required`);
  }
});

test('nothing is left', async () => {
  for (let i = 0; busy() > 0 && i < 200; i += 1) await new Promise((later) => setTimeout(later, 10));
  assert.equal(busy(), 0);
});
