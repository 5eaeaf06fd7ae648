// A worker whose runs are done by a function. The worker itself, its connection and its leases, is the one that
// `oz worker` is.

import { addon } from './addon.js';
import type { WorkOutcome, WorkTask } from './generated/types.js';
import { type Hook, port } from './port.js';
import { type ClientOptions, clientJson } from './transport.js';

/** How a worker works. */
export interface WorkOptions {
  /** Its name; runs whose `worker_host` equals it come here. */
  worker_id: string;
  /** How many runs it takes at once; 4 when absent, 0 for no limit. */
  max_concurrent_tasks?: number;
  /** What it offers to runs that ask for it. */
  labels?: Record<string, string>;
  /** Further environment of the agents. */
  env?: Record<string, string>;
  /** How many seconds runs may go on after the worker was asked to end; none when absent. */
  drain?: number;
  /** The lease of the control plane in seconds; 30 when absent. */
  lease?: number;
}

/**
 * Runs the agent of a task until it ends or `stop` is aborted. Nothing returned means that it ended by itself; what it
 * throws ends the run with that message.
 */
export type Backend = (task: WorkTask, stop: AbortSignal) => Promise<WorkOutcome | void>;

/**
 * Works for a control plane until `signal` is aborted: each run that comes is handed to `backend`. Connections that fail
 * are made again for ever.
 */
export async function work(
  options: WorkOptions & { client?: ClientOptions; signal?: AbortSignal },
  backend: Backend,
): Promise<void> {
  const { client, signal, ...how } = options;
  const hook = port().hook(answering(backend));
  const given = clientJson(client ?? {});
  try {
    await port().asked((id) => addon().work(port().native, id, JSON.stringify(how), given, hook), signal);
  } finally {
    port().unhook(hook);
  }
}

type Ask = { call: 'execute'; number: number; task: WorkTask } | { call: 'stop'; number: number };

/** Answers what is asked of a backend. */
function answering(backend: Backend): Hook {
  const going = new Map<number, AbortController>();
  return async (question) => {
    const ask = question as Ask;
    if (ask.call === 'stop') return void going.get(ask.number)?.abort();
    const controller = new AbortController();
    going.set(ask.number, controller);
    try {
      const outcome = await backend(ask.task, controller.signal);
      return outcome ?? { type: controller.signal.aborted ? 'stopped' : 'finished' };
    } catch (error) {
      if (controller.signal.aborted) return { type: 'stopped' };
      throw error;
    } finally {
      going.delete(ask.number);
    }
  };
}
