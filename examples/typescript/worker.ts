// A control plane in this process, and a worker whose runs are done by a function: all of Oz without another program.

import { type Harness, type HarnessEvent, type HarnessTask, runTask, serve, work } from 'oz-sdk';

class Shouter implements Harness {
  readonly name = 'shouter';

  async *start(task: HarnessTask): AsyncGenerator<HarnessEvent> {
    yield { type: 'text', text: task.prompt.toUpperCase() };
    yield { type: 'state', state: 'succeeded', message: task.prompt.toUpperCase() };
  }

  cancel(): void {}
}

const served = await serve();
const client = served.client();
const stop = new AbortController();
const working = work(
  { worker_id: 'here', client: { baseURL: served.url, apiKey: served.apiKey }, signal: stop.signal },
  async (task, stopped) => {
    await runTask(task, { harness: new Shouter(), signal: stopped });
  },
);
const { run_id } = await client.runs.create({ prompt: 'hello', config: { worker_host: 'here' } });
const run = await client.runs.wait(run_id);
console.log(run.state, run.status_message?.message);
stop.abort();
await working;
await served.stop();
