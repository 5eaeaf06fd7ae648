// A call that takes too long, or that nobody wants any more, ends with its signal, and its request with it.

import { APIUserAbortError, Oz } from 'oz-sdk';

const client = new Oz();
const { run_id } = await client.runs.create({ prompt: 'wait', config: { worker_host: 'nowhere' } });
try {
  await client.runs.wait(run_id, { signal: AbortSignal.timeout(200) });
} catch (error) {
  if (!(error instanceof APIUserAbortError)) throw error;
  console.log('still', (await client.runs.get(run_id)).state);
}
await client.runs.cancel(run_id);
