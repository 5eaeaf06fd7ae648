// A harness of one's own: an agent that the run driver drives. The driver stays what it is; the native part asks for
// events one at a time, so that a harness that is slow or fast needs no queue.

import type { AgentConfig, Answer, DriverEvent, DriverResult, HarnessEvent, HarnessTask, SavedSession, WorkTask } from './generated/types.js';
import { addon } from './addon.js';
import { nativeOf, type Oz } from './client.js';
import { type Hook, port, Unsupported } from './port.js';

/** A conversation as a harness keeps it: a name of its own for it, which may be empty, and its text. */
export type Conversation = Omit<SavedSession, 'format'>;

/**
 * An agent that can be driven. One object drives one conversation.
 *
 * What `start` yields ends with one event of type `state` whose state is final: `succeeded`, `failed`, `blocked` or
 * `cancelled`. A generator that throws, or that ends without one, is a failed agent.
 */
export interface Harness {
  /** The name by which transcripts know it. */
  readonly name: string;
  /** Works on a task and tells of it. `return()` of what it gives is called when nobody listens any more. */
  start(task: HarnessTask): AsyncIterable<HarnessEvent>;
  /** Gets another message while it works; it tells of it with a `prompt` of the same text once it was read. */
  send?(message: string): void | Promise<void>;
  /** Gets the answer to a `request` that it told of; it tells of it with an `answered` of that request's id. */
  answer?(requestId: string, answer: Answer): void | Promise<void>;
  /** Ends the step that it is at, and reads what was sent to it. */
  interrupt?(): void | Promise<void>;
  /** Ends the step that it is at, and does nothing else until it is sent something. Without it, `interrupt` is called. */
  pause?(): void | Promise<void>;
  /** Nothing more will be sent: one that rests, having told the state `resting`, ends. */
  dismiss?(): void | Promise<void>;
  /**
   * The conversation so far; a later task of the same conversation has it in `saved`. It is asked for while it works and
   * after its end. Without it, the prompt of that task tells all that was said.
   */
  save?(): Conversation | null | Promise<Conversation | null>;
  /** Stops soon: what it yields then ends with the state `cancelled`. What still works after a moment is dropped. */
  cancel(): void | Promise<void>;
}

/** What is to be done here, and by whom. */
export interface LocalOptions {
  /** What to do. */
  prompt: string;
  /** Who does it. */
  harness: Harness;
  /** How. */
  config?: AgentConfig;
  /** The directory to work in; a temporary one when absent. */
  cwd?: string;
  /** The model, before the one that the configuration names. */
  model?: string;
  /** Where the run is recorded; nowhere when absent. */
  client?: Oz;
  /** Is told what happens. */
  onEvent?: (event: DriverEvent) => void;
  /** Ends the run early; it then ends as cancelled. */
  signal?: AbortSignal;
}

/**
 * Does a run in this process with a harness of one's own. The run driver is the one that `oz agent run` uses: it prepares the
 * workspace, and records and redacts what the harness tells. A run that ends badly is a result and no error.
 */
export async function runLocal(options: LocalOptions): Promise<DriverResult> {
  const { prompt, harness, config, cwd, model, client, onEvent, signal } = options;
  const given = JSON.stringify({ prompt, config, cwd, model });
  return hooked(harness, onEvent, signal, (id, hook) =>
    addon().runLocal(port().native, id, given, harness.name, hook, client && nativeOf(client)),
  );
}

/** What is said of a task that is done here. */
export interface TaskOptions {
  /** Who does it. */
  harness: Harness;
  /** The directory to work in; a temporary one when absent. */
  cwd?: string;
  /** Is told what happens. */
  onEvent?: (event: DriverEvent) => void;
  /** Ends the run early. */
  signal?: AbortSignal;
}

/** Does the run of a task that a worker was given, in this process with a harness of one's own; it reports by itself. */
export async function runTask(task: WorkTask, options: TaskOptions): Promise<DriverResult> {
  const { harness, cwd, onEvent, signal } = options;
  const given = JSON.stringify(task);
  return hooked(harness, onEvent, signal, (id, hook) =>
    addon().runTask(port().native, id, given, cwd, harness.name, hook),
  );
}

async function hooked(
  harness: Harness,
  onEvent: ((event: DriverEvent) => void) | undefined,
  signal: AbortSignal | undefined,
  start: (id: number, hook: number) => void,
): Promise<DriverResult> {
  const hook = port().hook(answering(harness));
  try {
    return await port().asked<DriverResult>((id) => start(id, hook), signal, onEvent);
  } finally {
    port().unhook(hook);
  }
}

/** What the native part asks of a harness. */
type Ask =
  | { call: 'start'; task: HarnessTask }
  | { call: 'next' | 'drop' | 'interrupt' | 'pause' | 'dismiss' | 'save' | 'cancel' }
  | { call: 'send'; message: string }
  | { call: 'answer'; request_id: string; answer: Answer };

/** Answers what is asked of a harness. */
function answering(harness: Harness): Hook {
  let events: AsyncIterator<HarnessEvent> | undefined;
  const has = <T>(method: T | undefined): T => {
    if (method === undefined) throw new Unsupported(`the harness '${harness.name}' has no such method`);
    return method;
  };
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
      case 'drop':
        return void (await events?.return?.());
      case 'send':
        return has(harness.send).call(harness, ask.message);
      case 'answer':
        return has(harness.answer).call(harness, ask.request_id, ask.answer);
      default: {
        const method: (() => unknown) | undefined = harness[ask.call];
        return has(method).call(harness);
      }
    }
  };
}
