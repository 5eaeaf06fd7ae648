// The API walked: what users do with each noun, with real records of a real server.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { APIError, NotFoundError, Oz } from 'oz-sdk';
import { camel, methods } from './inside.mjs';

const client = new Oz();
const tag = randomUUID().slice(0, 8);
const nowhere = { worker_host: 'nowhere' };

test('a run goes from its prompt to its end, and is watched on its way', async () => {
  const { run_id } = await client.runs.create({ prompt: 'do the work', title: `work ${tag}`, metadata: { tag } });
  const seen = [];
  for await (const item of client.watch(run_id)) seen.push(item);
  const run = await client.runs.wait(run_id);
  assert.equal(run.state, 'SUCCEEDED');
  assert.equal(run.title, `work ${tag}`);
  assert.equal(run.artifacts?.[0]?.artifact_type, 'PULL_REQUEST');
  const sequences = seen.map((item) => item.event?.sequence ?? item.entry?.sequence ?? item.sequence);
  assert.ok(seen.length > 3, `only ${seen.length} items`);
  assert.deepEqual(sequences, [...sequences].sort((a, b) => a - b), 'items come in their order');

  // Who comes back with a cursor sees what is after it and nothing else.
  const again = await client.watch(run_id, sequences[1]).toArray();
  assert.deepEqual(again, seen.slice(2));

  const transcript = await client.transcript(run_id).text();
  const lines = transcript.trim().split('\n').map((line) => JSON.parse(line));
  assert.ok(lines.length > 0);
  const conversation = await client.runs.conversation(run_id);
  assert.ok(conversation);
});

test('lists come page by page, and a reader may leave', async () => {
  const made = [];
  for (let i = 0; i < 7; i += 1) {
    made.push((await client.runs.create({ prompt: `${i}`, config: nowhere, metadata: { page: tag } })).run_id);
  }
  const query = { metadata: { page: tag }, limit: 2 };
  const page = await client.runs.list(query);
  assert.equal(page.runs.length, 2);
  assert.equal(page.page_info.has_next_page, true);
  const all = await client.runs.listAll(query).toArray();
  assert.deepEqual(all.map((run) => run.run_id).sort(), [...made].sort());
  const some = [];
  for await (const run of client.runs.listAll(query)) {
    some.push(run.run_id);
    if (some.length === 3) break;
  }
  assert.equal(some.length, 3);
  for (const run_id of made) assert.equal(await client.runs.cancel(run_id), run_id);
});

test('schedules, environments and secrets are made, changed and deleted', async () => {
  const environment = await client.environments.create({ config: { name: `env-${tag}` } });
  const schedule = await client.schedules.create({
    name: `nightly-${tag}`,
    cron_schedule: '0 3 * * *',
    prompt: 'Tidy up.',
    agent_config: { ...nowhere, environment_id: environment.uid },
  });
  assert.equal((await client.schedules.get(schedule.id)).name, `nightly-${tag}`);
  assert.equal((await client.schedules.pause(schedule.id)).enabled, false);
  assert.equal((await client.schedules.resume(schedule.id)).enabled, true);
  assert.ok((await client.schedules.list()).schedules.some(({ id }) => id === schedule.id));
  await client.schedules.delete(schedule.id);
  await assert.rejects(client.schedules.get(schedule.id), NotFoundError);

  const name = `SECRET_${tag.toUpperCase()}`;
  const secret = await client.secrets.create({ name, value: 'hunter2hunter2' });
  assert.ok(!JSON.stringify(secret).includes('hunter2'), 'the value must not come back');
  assert.ok((await client.secrets.list()).secrets.some(({ uid }) => uid === secret.uid));
  await client.secrets.update({ secret, description: 'Ours.' });
  await client.secrets.delete(secret.uid);
  await client.environments.delete(environment.uid);
});

test('bytes go up and come down', async () => {
  const { run_id } = await client.runs.create({ prompt: 'x', config: nowhere });
  const text = 'größe,µ\n'.repeat(50_000);
  const bytes = Buffer.from(text);
  const files = [{ filename: 'sizes.csv', mime_type: 'text/csv' }];
  const { attachments } = await client.runs.prepareAttachments(run_id, { files });
  const { attachment_id, upload_target } = attachments[0];
  await client.upload({ target: upload_target }, bytes);
  const found = await client.runs.downloadAttachments(run_id, { attachment_ids: [attachment_id] });
  const address = found.attachments[0].download_url;
  let pieces = 0;
  for await (const piece of client.download(address)) {
    assert.ok(piece instanceof Uint8Array);
    pieces += 1;
  }
  assert.ok(pieces > 1, 'it comes in pieces');
  assert.equal(await client.download(address).text(), text);
  await client.runs.cancel(run_id);
});

test('the paths of the published package lead to the same calls', async () => {
  const { run_id } = await client.agent.run({ prompt: 'x', config: nowhere });
  assert.equal((await client.agent.runs.retrieve(run_id)).run_id, run_id);
  assert.ok((await client.agent.runs.list({ limit: 1 })).runs.length === 1);
  assert.equal(await client.agent.runs.cancel(run_id), run_id);
  const { id } = await client.agent.schedules.create({ name: `b-${tag}`, cron_schedule: '0 9 * * *', prompt: 'x' });
  const changed = { name: `c-${tag}`, cron_schedule: '0 9 * * *', prompt: 'x', enabled: false };
  assert.equal((await client.agent.schedules.update(id, changed)).name, `c-${tag}`);
  assert.deepEqual(await client.agent.schedules.delete(id), { success: true });
});

test('every method crosses, and is answered or refused with a reason', async () => {
  let answered = 0;
  for (const { noun, name, kind } of methods()) {
    const owner = noun ? client[camel(noun)] : client;
    const full = noun ? `${noun}.${name}` : name;
    assert.equal(typeof owner?.[camel(name)], 'function', `${full} is missing`);
    const outcome = await called(owner, camel(name), kind);
    if (outcome instanceof Error) {
      assert.ok(outcome instanceof APIError, `${full}: ${outcome.stack}`);
      assert.ok(outcome.kind === 'api' && outcome.code, `${full}: ${JSON.stringify(outcome)}`);
    } else answered += 1;
  }
  assert.ok(answered > 20, `only ${answered} methods answered`);
});

/** Calls a method with what names nothing; gives what came, or the error. */
async function called(owner, name, kind) {
  const nothing = Array.from({ length: owner[name].length }, () => randomUUID());
  try {
    const answer = owner[name](...nothing);
    if (kind === 'call' || kind === 'upload') return await answer;
    const first = await answer.next();
    await answer.return();
    return first;
  } catch (error) {
    return error;
  }
}
