// How calls leave: one place for all methods of all nouns. What a method is called and takes is written in `generated/`.

import { addon, type NativeClient } from './addon.js';
import { OzError, thrown } from './errors.js';
import { Bytes, Items } from './items.js';
import { port } from './port.js';

/** What holds for every call of a client. What is absent comes from the environment and the login, as for `oz` itself. */
export interface ClientOptions {
  /** The key; else `OZ_API_KEY`, `WARP_API_KEY`, or the login. */
  apiKey?: string | undefined;
  /** The server's address, such as `http://127.0.0.1:7700`. */
  baseURL?: string | undefined;
  /** Milliseconds that one try may take; a minute when absent. Streams have no limit. */
  timeout?: number | undefined;
  /** How often a call is tried again. */
  maxRetries?: number | undefined;
  /** Headers to send with every call. */
  defaultHeaders?: Record<string, string> | undefined;
  /** What made the calls, for the record of runs. */
  source?: string | undefined;
}

/** What holds for one call, in place of what holds for the client. */
export interface RequestOptions {
  /** Milliseconds that one try may take. */
  timeout?: number | undefined;
  /** How often the call is tried again. */
  maxRetries?: number | undefined;
  /** Headers to send with it. They replace those of the same name. */
  headers?: Record<string, string> | undefined;
  /** Names a call that makes something: however often it is sent with this key, it is done once. */
  idempotencyKey?: string | undefined;
  /** Ends the call, and its request, with an `APIUserAbortError`. */
  signal?: AbortSignal | undefined;
}

const seconds = (milliseconds: number | undefined) => (milliseconds === undefined ? undefined : milliseconds / 1000);

/** The options of a call as the native part takes them; nothing when there are none. */
function native(options: RequestOptions | undefined): string | undefined {
  if (!options) return undefined;
  const { timeout, maxRetries, headers, idempotencyKey } = options;
  const given = timeout ?? maxRetries ?? headers ?? idempotencyKey;
  if (given === undefined) return undefined;
  return JSON.stringify({
    timeout: seconds(timeout),
    max_retries: maxRetries,
    headers,
    idempotency_key: idempotencyKey,
  });
}

/** The options of a client as the native part takes them. */
export function clientJson(options: ClientOptions): string {
  const { apiKey, baseURL, timeout, maxRetries, defaultHeaders, source } = options;
  return JSON.stringify({
    api_key: apiKey,
    base_url: baseURL,
    timeout: seconds(timeout),
    max_retries: maxRetries,
    headers: defaultHeaders,
    source,
  });
}

/** The way to one control plane. */
export class Transport {
  readonly #client: NativeClient;

  constructor(options: ClientOptions) {
    const given = clientJson(options);
    this.#client = checked(() => new (addon().Client)(given));
  }

  /** The native client, for what runs in this process. */
  get native(): NativeClient {
    return this.#client;
  }

  /** The server's address. */
  get serverUrl(): string {
    return this.#client.serverUrl;
  }

  /** Calls a method and gives back what it answers. */
  async call<T>(method: string, request: object, options?: RequestOptions): Promise<T> {
    const start = (id: number) =>
      this.#client.call(port().native, id, method, JSON.stringify(request), native(options));
    const { payload } = await port().wait(start, options?.signal);
    return JSON.parse(payload as string) as T;
  }

  /** Calls a method that answers nothing. */
  async perform(method: string, request: object, options?: RequestOptions): Promise<void> {
    await this.call(method, request, options);
  }

  /** Calls a method that takes bytes and answers nothing. */
  async upload(method: string, request: object, bytes: Uint8Array | string, options?: RequestOptions): Promise<void> {
    const body = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
    const start = (id: number) =>
      this.#client.upload(port().native, id, method, JSON.stringify(request), body, native(options));
    await port().wait(start, options?.signal);
  }

  /** What a method brings, item by item. */
  items<T>(method: string, request: object, options?: RequestOptions): Items<T> {
    return new Items<T>(this.#open(method, request, options, false), options?.signal);
  }

  /** What a method brings, as bytes. */
  bytes(method: string, request: object, options?: RequestOptions): Bytes {
    return new Bytes(this.#open(method, request, options, true), options?.signal);
  }

  #open(method: string, request: object, options: RequestOptions | undefined, raw: boolean): (id: number) => void {
    const text = JSON.stringify(request);
    return (id) =>
      checked(() => this.#client.open(port().native, id, method, text, native(options), raw));
  }
}

/** Does what may throw a failure of the native part. */
export function checked<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    const known = thrown(error);
    throw known instanceof Error ? known : new OzError(String(known));
  }
}
