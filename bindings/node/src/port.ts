// The port between this thread's event loop and the native part. What waits keeps the process alive; nothing else does.

import { addon, Kind, type NativePort } from './addon.js';
import { APIUserAbortError, thrown } from './errors.js';

/** Longer than any program runs, so that the timer that keeps the loop alive never fires. */
const FOREVER = 2 ** 31 - 1;

/** What came under a number. */
export interface Delivered {
  kind: Kind;
  payload: string | Uint8Array | null;
}

interface Waiting {
  resolve: (delivered: Delivered) => void;
  reject: (error: unknown) => void;
  signal: AbortSignal | undefined;
  /** Is told what happens before the end. */
  onEvent: ((event: never) => void) | undefined;
}

/** What a hook can't do. */
export class Unsupported extends Error {
  readonly code = 'operation_not_supported';
}

/** Answers what the native part asks of JavaScript. */
export type Hook = (ask: unknown) => Promise<unknown>;

/** The waiting calls of this thread. */
class Port {
  readonly native: NativePort;
  readonly #waiting = new Map<number, Waiting>();
  /** One listener a signal, however many calls it may end: listeners are a list that each call would be looked up in. */
  readonly #signals = new Map<AbortSignal, { ids: Set<number>; listener: () => void }>();
  readonly #hooks = new Map<number, Hook>();
  #alive: NodeJS.Timeout | undefined;
  #held = 0;
  #last = 0;

  constructor() {
    this.native = new (addon().Port)((id, kind, payload) => this.#deliver(id, kind, payload));
  }

  /** A number that nothing goes under. */
  number(): number {
    do this.#last = (this.#last + 1) >>> 0;
    while (this.#waiting.has(this.#last) || this.#hooks.has(this.#last));
    return this.#last;
  }

  /** Starts work under a number of its own and waits for what is delivered for it; the signal drops the work. */
  wait(start: (id: number) => void, signal?: AbortSignal): Promise<Delivered> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(new APIUserAbortError(signal.reason));
      const id = this.number();
      start(id);
      this.#waiting.set(id, { resolve, reject, signal, onEvent: undefined });
      if (signal) this.#listen(signal, id);
      this.hold();
    });
  }

  /** Starts work that tells of itself and ends in its own time; the signal asks it to end. Its answer is JSON. */
  async asked<T>(
    start: (id: number) => void,
    signal?: AbortSignal,
    onEvent?: (event: never) => void,
  ): Promise<T> {
    const id = this.number();
    const stop = () => this.native.stop(id);
    const delivered = new Promise<Delivered>((resolve, reject) => {
      start(id);
      this.#waiting.set(id, { resolve, reject, signal: undefined, onEvent });
      this.hold();
    });
    if (signal?.aborted) stop();
    signal?.addEventListener('abort', stop, { once: true });
    try {
      return JSON.parse((await delivered).payload as string) as T;
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  }

  /** Has `hook` answer what is asked under the number that this gives back, until it is forgotten. */
  hook(hook: Hook): number {
    const id = this.number();
    this.#hooks.set(id, hook);
    return id;
  }

  /** Forgets a hook. */
  unhook(id: number): void {
    this.#hooks.delete(id);
  }

  /** Gives up waiting for a number, and stops what goes on under it. */
  abort(id: number, error: unknown): void {
    const waiting = this.#take(id);
    if (!waiting) return;
    this.native.abort(id);
    waiting.reject(error);
  }

  #deliver(id: number, kind: Kind, payload: string | Uint8Array | null): void {
    if (kind === Kind.Ask) return void this.#answer(id, payload as string);
    if (kind === Kind.Tell) return void this.#ask(payload as string).catch(() => undefined);
    if (kind === Kind.Event) return this.#waiting.get(id)?.onEvent?.(JSON.parse(payload as string) as never);
    const waiting = this.#take(id);
    if (!waiting) return;
    if (kind === Kind.Failure) waiting.reject(thrown(payload));
    else waiting.resolve({ kind, payload });
  }

  async #answer(id: number, payload: string): Promise<void> {
    try {
      this.native.reply(id, JSON.stringify((await this.#ask(payload)) ?? null));
    } catch (error) {
      const code = error instanceof Unsupported ? error.code : undefined;
      this.native.reply(id, undefined, error instanceof Error ? error.message : String(error), code);
    }
  }

  async #ask(payload: string): Promise<unknown> {
    const { hook, ask } = JSON.parse(payload) as { hook: number; ask: unknown };
    return this.#hooks.get(hook)?.(ask);
  }

  /** Keeps the program alive until it is released as often as it was held. */
  hold(): void {
    if (this.#held++ > 0) return;
    if (this.#alive) this.#alive.ref();
    else this.#alive = setInterval(() => undefined, FOREVER);
  }

  /** Lets the program end, as far as this hold goes. */
  release(): void {
    if (--this.#held === 0) this.#alive?.unref();
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    if (!waiting) return undefined;
    this.#waiting.delete(id);
    this.release();
    if (waiting.signal) this.#forget(waiting.signal, id);
    return waiting;
  }

  #listen(signal: AbortSignal, id: number): void {
    let entry = this.#signals.get(signal);
    if (!entry) {
      const ids = new Set<number>();
      const listener = () => {
        for (const each of [...ids]) this.abort(each, new APIUserAbortError(signal.reason));
      };
      signal.addEventListener('abort', listener, { once: true });
      this.#signals.set(signal, (entry = { ids, listener }));
    }
    entry.ids.add(id);
  }

  #forget(signal: AbortSignal, id: number): void {
    const entry = this.#signals.get(signal);
    if (!entry?.ids.delete(id) || entry.ids.size > 0) return;
    signal.removeEventListener('abort', entry.listener);
    this.#signals.delete(signal);
  }
}

let only: Port | undefined;

/** The port of this thread. */
export function port(): Port {
  return (only ??= new Port());
}
