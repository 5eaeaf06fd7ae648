// A harness of one's own: an agent that the run driver drives. The driver stays what it is; the native part asks for
// events one at a time, so that a harness that is slow or fast needs no queue.

import type { AgentConfig, HarnessEvent, Limits, McpServerConfig, Permissions, RunMode, RunState, StatusMessage, Usage } from './generated/types.js';
import { addon } from './addon.js';
import { nativeOf, type Oz } from './client.js';
import { type Hook, port, Unsupported } from './port.js';
import type { WorkTask } from './worker.js';

/** A file that a harness is told of. */
export interface HarnessFile {
  /** The file. */
  path: string;
  /** What it says, or what it is for. */
  text: string;
}

/** What a harness is asked to do. */
export interface HarnessTask {
  /** The run, where there is one. */
  run_id?: string | null;
  /** What to do. */
  prompt: string;
  /** What is said right after that, as messages of their own. */
  more: string[];
  /** Instructions that come before the harness's own. */
  base_prompt?: string | null;
  /** How to go about it. */
  mode: RunMode;
  /** The directory to work in; it exists. */
  workspace: string;
  /** A private directory for the harness's own files, which is gone when the run ends. */
  home: string;
  /** The model to use; the harness's default when absent. */
  model_id?: string | null;
  /** How hard the model should think. */
  reasoning_level?: string | null;
  /** When to stop. */
  limits: Limits;
  /** What the agent may do without asking. */
  permissions: Permissions;
  /** The rules of the workspace, such as `AGENTS.md`, the weakest first: texts by file. */
  rules: HarnessFile[];
  /** The skills in scope: what each is for, by file. */
  skills: HarnessFile[];
  /** MCP servers by name. */
  mcp_servers: Record<string, McpServerConfig>;
  /** Pictures that came with the task. */
  images: string[];
  /** The whole environment of the processes that the agent starts. Holds the secrets of the run. */
  env: Record<string, string>;
}

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
  /** Ends the step that it is at, and reads what was sent to it. */
  interrupt?(): void | Promise<void>;
  /** Stops soon: what it yields then ends with the state `cancelled`. What still works after a moment is dropped. */
  cancel(): void | Promise<void>;
}

/** What an observer of a run is told, as it happens. */
export type LocalEvent =
  | { type: 'run_started'; run_id: string }
  | { type: 'event'; event: HarnessEvent }
  | { type: 'listens' };

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
  onEvent?: (event: LocalEvent) => void;
  /** Ends the run early; it then ends as cancelled. */
  signal?: AbortSignal;
}

/** How a run ended. */
export interface LocalResult {
  /** The state in which it ended. */
  state: RunState;
  /** Why. */
  status: StatusMessage;
  /** What it used. */
  usage: Usage;
  /** Its id, where it has a record. */
  run_id?: string | null;
}

/**
 * Does a run in this process with a harness of one's own. The run driver is the one that `oz agent run` uses: it prepares the
 * workspace, and records and redacts what the harness tells. A run that ends badly is a result and no error.
 */
export async function runLocal(options: LocalOptions): Promise<LocalResult> {
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
  onEvent?: (event: LocalEvent) => void;
  /** Ends the run early. */
  signal?: AbortSignal;
}

/** Does the run of a task that a worker was given, in this process with a harness of one's own; it reports by itself. */
export async function runTask(task: WorkTask, options: TaskOptions): Promise<LocalResult> {
  const { harness, cwd, onEvent, signal } = options;
  const given = JSON.stringify(task);
  return hooked(harness, onEvent, signal, (id, hook) =>
    addon().runTask(port().native, id, given, cwd, harness.name, hook),
  );
}

async function hooked(
  harness: Harness,
  onEvent: ((event: LocalEvent) => void) | undefined,
  signal: AbortSignal | undefined,
  start: (id: number, hook: number) => void,
): Promise<LocalResult> {
  const hook = port().hook(answering(harness));
  try {
    return await port().asked<LocalResult>((id) => start(id, hook), signal, onEvent);
  } finally {
    port().unhook(hook);
  }
}

/** What the native part asks of a harness. */
type Ask =
  | { call: 'start'; task: HarnessTask }
  | { call: 'next' | 'interrupt' | 'cancel' | 'drop' }
  | { call: 'send'; message: string };

/** Answers what is asked of a harness. */
function answering(harness: Harness): Hook {
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
        if (!harness.send) throw new Unsupported(`the harness '${harness.name}' can't take messages while it works`);
        return void (await harness.send(ask.message));
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
