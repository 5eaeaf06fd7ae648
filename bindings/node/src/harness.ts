// A harness of one's own: an agent that the run driver drives. The driver stays what it is; the native part asks for
// events one at a time, so that a harness that is slow or fast needs no queue.

import { port } from './port.js';
import type { HarnessEvent } from './generated/types.js';

/** What a harness is given. */
export interface HarnessTask {
  /** What to do. */
  prompt: string;
  /** The directory to work in. */
  cwd: string;
  [more: string]: unknown;
}

/**
 * An agent that can be driven. One object drives one conversation.
 *
 * What `start` yields ends with exactly one event of type `state` whose state is final: `succeeded`, `failed`, `blocked`
 * or `cancelled`. A generator that throws, or that ends without one, is a failed agent.
 */
export interface Harness {
  /** The name that it goes by. */
  readonly name: string;
  /** Works on a task and tells of it. Its `return()` is called when nobody listens any more. */
  start(task: HarnessTask): AsyncIterable<HarnessEvent>;
  /** Gets another message while it works; it tells of it with a `prompt` of the same text once it was read. */
  send?(message: string): void | Promise<void>;
  /** Gets the answer to a `request`; it tells of it with `answered`. */
  answer?(requestId: string, answer: unknown): void | Promise<void>;
  /** Ends the step that it is at, and reads what was sent to it. */
  interrupt?(): void | Promise<void>;
  /** Stops soon: what it yields then ends with the state `cancelled`. */
  cancel(): void | Promise<void>;
}

/** What the native part asks of a harness. */
type Ask =
  | { call: 'start'; task: HarnessTask }
  | { call: 'next' | 'interrupt' | 'cancel' | 'drop' }
  | { call: 'send'; message: string }
  | { call: 'answer'; request_id: string; answer: unknown };

/** Has `harness` asked under a number, for as long as `work` goes on. */
export async function withHarness<T>(harness: Harness, work: (hook: number) => Promise<T>): Promise<T> {
  const hook = port().hook(asked(harness));
  try {
    return await work(hook);
  } finally {
    port().unhook(hook);
  }
}

/** Answers what is asked of a harness. */
export function asked(harness: Harness): (ask: unknown) => Promise<unknown> {
  let events: AsyncIterator<HarnessEvent> | undefined;
  return async (question) => {
    const ask = question as Ask;
    switch (ask.call) {
      case 'start':
        events = harness.start(ask.task)[Symbol.asyncIterator]();
        return null;
      case 'next': {
        const next = await events?.next();
        return next && !next.done ? next.value : null;
      }
      case 'send':
        if (!harness.send) throw new Unsupported(`the harness '${harness.name}' takes no messages while it works`);
        return void (await harness.send(ask.message));
      case 'answer':
        if (!harness.answer) throw new Unsupported(`the harness '${harness.name}' asks nothing`);
        return void (await harness.answer(ask.request_id, ask.answer));
      case 'interrupt':
        if (!harness.interrupt) throw new Unsupported(`the harness '${harness.name}' can't be interrupted`);
        return void (await harness.interrupt());
      case 'cancel':
        return void (await harness.cancel());
      case 'drop':
        return void (await events?.return?.());
    }
  };
}

/** What a harness can't do. */
class Unsupported extends Error {}
