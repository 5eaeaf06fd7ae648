// The client: which server, and who calls.

import { Api } from './generated/api.js';
import type { NativeClient } from './addon.js';
import { type ClientOptions, Transport } from './transport.js';

/** The native part of a client. */
export let nativeOf: (client: Oz) => NativeClient;

/**
 * A client of one control plane.
 *
 * ```ts
 * const client = new Oz();
 * const { run_id } = await client.runs.create({ prompt: 'fix the failing test' });
 * const run = await client.runs.wait(run_id);
 * ```
 */
export class Oz extends Api {
  static {
    nativeOf = (client) => client._transport.native;
  }

  readonly #options: ClientOptions;

  /** Without options, the server and the key are those that the command line would use. */
  constructor(options: ClientOptions = {}) {
    super(new Transport(options));
    this.#options = { ...options };
  }

  /** The server's address. */
  get baseURL(): string {
    return this._transport.serverUrl;
  }

  /** The same client with some options changed. */
  withOptions(options: ClientOptions): Oz {
    return new Oz({ ...this.#options, ...options });
  }
}
