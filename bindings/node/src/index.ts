// What the package gives. ECMAScript modules get the same objects through `index.mjs`, which the build writes: so an
// `instanceof` holds whichever way a class was imported.

export { Oz } from './client.js';
export { Oz as default } from './client.js';
export {
  APIConnectionError,
  APIConnectionTimeoutError,
  APIError,
  APIUserAbortError,
  AuthenticationError,
  BadRequestError,
  ConflictError,
  InternalServerError,
  NotFoundError,
  OzError,
  PanicError,
  PermissionDeniedError,
  RateLimitError,
  UnprocessableEntityError,
} from './errors.js';
export { Bytes, Items } from './items.js';
export { canTransition, nextState, validate } from './rules.js';
export type { ClientOptions, RequestOptions } from './transport.js';
export { type Conversation, type Harness, type LocalOptions, runLocal, runTask, type TaskOptions } from './harness.js';
export { serve, Served, type ServeOptions } from './serve.js';
export { type Backend, work, type WorkOptions } from './worker.js';
export * from './generated/nouns.js';
export * from './generated/published.js';
export type * from './generated/types.js';
