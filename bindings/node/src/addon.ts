// Finds the native part: beside the package for the machine it was built on, else in the package of this platform.

import { OzError } from './errors.js';

/** What a message of the port is about; the same numbers stand in `native/port.rs`. */
export const enum Kind {
  Answer = 0,
  Failure = 1,
  Items = 2,
  Bytes = 3,
  End = 4,
  Ask = 5,
  Event = 6,
  Tell = 7,
}

/** Takes what the native part delivers: a number, what it is about, and JSON text, bytes or nothing. */
export type Deliver = (id: number, kind: Kind, payload: string | Uint8Array | null) => void;

/** The port of this thread: starts, stops and reads work by number. */
export interface NativePort {
  abort(id: number): void;
  next(stream: number, id: number): void;
  close(stream: number): void;
  end(): void;
  stop(id: number): void;
  reply(ask: number, answer?: string, why?: string, code?: string): void;
  readonly busy: number;
}

/** A client of the native part. */
export interface NativeClient {
  call(port: NativePort, id: number, method: string, request: string, options?: string): void;
  open(port: NativePort, id: number, method: string, request: string, options: string | undefined, raw: boolean): void;
  upload(port: NativePort, id: number, method: string, request: string, bytes: Uint8Array, options?: string): void;
  readonly serverUrl: string;
}

/** The native part. */
export interface Addon {
  Port: new (deliver: Deliver) => NativePort;
  Client: new (options: string) => NativeClient;
  methods(): string;
  canTransition(from: string, to: string): boolean;
  nextState(from: string, cause: string): string;
  validate(type: string, json: string): string;
  schemas(): string;
  serve(port: NativePort, id: number, options: string): void;
  stopServed(port: NativePort, id: number, served: number): void;
  runLocal(port: NativePort, id: number, options: string, name: string, hook: number, client?: NativeClient): void;
  runTask(port: NativePort, id: number, task: string, cwd: string | undefined, name: string, hook: number): void;
  work(port: NativePort, id: number, options: string, client: string, hook: number): void;
}

let loaded: Addon | undefined;

/** The native part, loaded on first use, so that importing the package costs next to nothing. */
export function addon(): Addon {
  return (loaded ??= load());
}

function load(): Addon {
  const { platform, arch } = process;
  const variants = platform === 'linux' ? ['-gnu', '-musl'] : platform === 'win32' ? ['-msvc'] : [''];
  const tried: string[] = [];
  for (const variant of variants) {
    const target = `${platform}-${arch}${variant}`;
    for (const place of [`../oz.${target}.node`, `oz-sdk-${target}`]) {
      try {
        return require(place) as Addon;
      } catch (error) {
        tried.push(`${place}: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`);
      }
    }
  }
  throw new OzError(`oz-sdk has no native part for ${platform} on ${arch}; tried ${tried.join('; ')}`);
}
