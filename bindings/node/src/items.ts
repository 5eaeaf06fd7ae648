// What comes bit by bit: pages, live events, bytes. Nothing is asked of the native part before somebody reads.

import { Kind } from './addon.js';
import { APIUserAbortError } from './errors.js';
import { port } from './port.js';

/** The number of the last stream of this thread. */
let last = 0;

/** Closes streams that nobody can read any more. */
const abandoned = new FinalizationRegistry<number>((stream) => port().native.close(stream));

/**
 * Items that are read with `for await`, one after the other. Leaving the loop, `return()`, `close()` or the call's
 * `AbortSignal` ends the stream and closes its connection, also while a read waits.
 */
export class Items<T> implements AsyncIterableIterator<T> {
  readonly #open: (id: number) => void;
  readonly #signal: AbortSignal | undefined;
  #stream: number | undefined;
  #ready: T[] = [];
  #at = 0;
  #over = false;
  #reading: number | undefined;
  /** Reads are answered in the order they were asked. */
  #asked = 0;
  #last: Promise<unknown> = Promise.resolve();

  /** @internal */
  constructor(open: (id: number) => void, signal?: AbortSignal) {
    this.#open = open;
    this.#signal = signal;
  }

  /** The next item. */
  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#at < this.#ready.length && this.#asked === 0) {
      return Promise.resolve({ done: false, value: this.#ready[this.#at++] as T });
    }
    this.#asked += 1;
    const next = this.#last.then(() => this.#read());
    this.#last = next.then(
      () => void (this.#asked -= 1),
      () => void (this.#asked -= 1),
    );
    return next;
  }

  /** Ends the stream. A read that waits is answered with the end. */
  return(): Promise<IteratorResult<T, undefined>> {
    this.close();
    return Promise.resolve({ done: true, value: undefined });
  }

  /** Ends the stream. */
  close(): void {
    this.#over = true;
    this.#ready = [];
    this.#at = 0;
    if (this.#reading !== undefined) port().abort(this.#reading, CLOSED);
    if (this.#stream === undefined) return;
    port().native.close(this.#stream);
    abandoned.unregister(this);
    this.#stream = undefined;
  }

  /** All items that are left. */
  async toArray(): Promise<T[]> {
    const all: T[] = [];
    for await (const item of this) all.push(item);
    return all;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #read(): Promise<IteratorResult<T, undefined>> {
    if (this.#at < this.#ready.length) return { done: false, value: this.#ready[this.#at++] as T };
    if (this.#signal?.aborted && !this.#over) {
      this.close();
      throw new APIUserAbortError(this.#signal.reason);
    }
    if (this.#over) return { done: true, value: undefined };
    try {
      const stream = (this.#stream ??= this.#begin());
      const { kind, payload } = await port().wait((id) => {
        this.#reading = id;
        port().native.next(stream, id);
      }, this.#signal);
      this.#reading = undefined;
      if (kind === Kind.End) return await this.return();
      this.#ready = kind === Kind.Items ? (JSON.parse(payload as string) as T[]) : [payload as T];
      this.#at = 1;
      return { done: false, value: this.#ready[0] as T };
    } catch (error) {
      this.#reading = undefined;
      this.close();
      if (error === CLOSED) return { done: true, value: undefined };
      throw error;
    }
  }

  #begin(): number {
    const stream = (last = (last + 1) >>> 0);
    this.#open(stream);
    abandoned.register(this, stream, this);
    return stream;
  }
}

/** What a read is refused with whose stream was closed by its reader. */
const CLOSED = Symbol('closed');

/** Bytes that are read with `for await`, piece by piece. */
export class Bytes extends Items<Uint8Array> {
  /** All of them, in one piece. */
  async bytes(): Promise<Uint8Array> {
    return Buffer.concat(await this.toArray());
  }

  /** All of them, as text. */
  async text(): Promise<string> {
    return Buffer.from(await this.bytes()).toString('utf8');
  }
}
