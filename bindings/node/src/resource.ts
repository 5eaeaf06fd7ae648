// What every noun of the API has in common.

import type { Transport } from './transport.js';

/** Calls about one thing. */
export abstract class Resource {
  readonly #transport: Transport;

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** @internal */
  protected get _transport(): Transport {
    return this.#transport;
  }
}
