// An agent of one's own, driven by the same run driver as any other.

import { type Harness, type HarnessEvent, type HarnessTask, runLocal } from 'oz-sdk';

class Greeter implements Harness {
  readonly name = 'greeter';
  #stopped = false;

  async *start(task: HarnessTask): AsyncGenerator<HarnessEvent> {
    for (const word of task.prompt.split(' ')) {
      if (this.#stopped) return yield { type: 'state', state: 'cancelled' };
      yield { type: 'text', text: `Hello, ${word}.` };
    }
    yield { type: 'state', state: 'succeeded', message: 'Everybody is greeted.' };
  }

  cancel(): void {
    this.#stopped = true;
  }
}

const result = await runLocal({
  prompt: 'Ada Grace',
  harness: new Greeter(),
  onEvent: (event) => {
    if (event.type === 'event' && event.event.type === 'text') console.log(event.event.text);
  },
});
console.log(result.state, result.status.message);
