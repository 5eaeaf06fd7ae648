// Dispatches a run and tells what happens to it while it happens. Interrupted connections are taken up again where they
// broke; nothing is missed and nothing comes twice.

import { Oz } from 'oz-sdk';

const client = new Oz();
const { run_id } = await client.runs.create({ prompt: 'do the work' });

for await (const item of client.watch(run_id)) {
  switch (item.kind) {
    case 'event':
      console.log('event', item.event.event_type);
      break;
    case 'entry':
      console.log('entry', item.entry.event.type);
      break;
  }
}
