// Dispatches a run and waits for its end.

import { Oz } from 'oz-sdk';

const client = new Oz();
const { run_id } = await client.runs.create({ prompt: 'fix the failing test' });
const run = await client.runs.wait(run_id);
console.log(`${run.title}: ${run.state}`, run.status_message?.message ?? '');
