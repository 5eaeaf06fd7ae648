// A control plane in this process: for tests, and for programs that bring their own.

import { addon } from './addon.js';
import { Oz } from './client.js';
import { port } from './port.js';
import type { ClientOptions } from './transport.js';

/** How a control plane is served. */
export interface ServeOptions {
  /** Where everything durable lies. When absent, a directory that is deleted at the end. */
  data_dir?: string;
  /** Address to listen on, such as `127.0.0.1:7700`. When absent, a free port of this machine that only it reaches. */
  listen?: string;
  /** The key that the first start makes; a random one when absent. */
  api_key?: string;
  /** Whether there is a worker, too, whose agents are processes of this machine. */
  worker?: boolean;
  /** How many runs that worker takes at once; 4 when absent, 0 for no limit. */
  max_concurrent_tasks?: number;
  /** The `oz` program that the worker's agents are. When absent, that in `OZ_BIN`, or on the `PATH`. */
  oz?: string;
  /** How many calls a second each key may make; no limit when absent. */
  rate_limit?: number;
}

/** Whether the end of the program ends what it serves. */
let ends = false;

/** A control plane that is served. It keeps the program alive until it is stopped. */
export class Served implements AsyncDisposable {
  /** Its address. */
  readonly url: string;
  readonly #key: string | undefined;
  readonly #number: number;
  #stopping: Promise<void> | undefined;

  /** @internal */
  constructor(number: number, url: string, key: string | undefined) {
    this.#number = number;
    this.url = url;
    this.#key = key;
    port().hold();
    if (!ends) process.once('exit', () => port().native.end());
    ends = true;
  }

  /** The key of its admin; none where the data is of an earlier start whose key was not given. */
  get apiKey(): string | undefined {
    return this.#key;
  }

  /** A client of it. */
  client(options: ClientOptions = {}): Oz {
    return new Oz({ baseURL: this.url, apiKey: this.#key, ...options });
  }

  /** Ends it, and waits until nothing of it is left. Does nothing the second time. */
  stop(): Promise<void> {
    return (this.#stopping ??= this.#stop());
  }

  async #stop(): Promise<void> {
    try {
      await port().asked((id) => addon().stopServed(port().native, id, this.#number));
    } finally {
      port().release();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

/** Serves a control plane in this process. */
export async function serve(options: ServeOptions = {}): Promise<Served> {
  type Said = { number: number; url: string; api_key: string | null };
  const said = await port().asked<Said>((id) => addon().serve(port().native, id, JSON.stringify(options)));
  return new Served(said.number, said.url, said.api_key ?? undefined);
}
