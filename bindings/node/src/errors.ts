// What goes wrong, as classes by status. The native part tells what happened as a document; nothing is worked out here.

/** What the native part says of a failure. */
export interface Failure {
  /** `api`, `connect`, `timeout`, `decode`, `redirect`, `config` or `panic`. */
  kind: string;
  /** One line for people. */
  message: string;
  status?: number | null;
  code?: string | null;
  title?: string | null;
  detail?: string | null;
  field?: string | null;
  retry_after?: number | null;
  problem?: unknown;
}

/** Whatever this package throws. */
export class OzError extends Error {
  /** What kind of failure it is: `api`, `connect`, `timeout`, `decode`, `redirect`, `config`, `abort` or `panic`. */
  readonly kind: string;

  constructor(message?: string, kind = 'config') {
    super(message);
    this.kind = kind;
  }

  static {
    // On the prototype, so that neither subclasses nor printed errors carry a field for it.
    Object.defineProperty(this.prototype, 'name', {
      get(this: OzError) {
        return this.constructor.name;
      },
      configurable: true,
    });
  }
}

/** A call failed. The subclass says how; its fields are those of the problem document that the server sent. */
export class APIError extends OzError {
  /** The HTTP status, when there was an answer. */
  readonly status: number | undefined;
  /** The platform error code, such as `resource_not_found`. */
  readonly code: string | undefined;
  /** The title of the code, the same for every error of this code. */
  readonly title: string | undefined;
  /** What is wrong, for people. */
  readonly detail: string | undefined;
  /** The field of the request that is wrong, when it is one. */
  readonly field: string | undefined;
  /** Seconds that the server asks to wait before the next try. */
  readonly retryAfter: number | undefined;
  /** The whole problem document. */
  readonly body: unknown;

  constructor(failure: Failure) {
    const { kind, message, status, code, title, detail, field, retry_after, problem } = failure;
    super(status == null ? message : `${status} ${message}`, kind);
    this.status = status ?? undefined;
    this.code = code ?? undefined;
    this.title = title ?? undefined;
    this.detail = detail ?? undefined;
    this.field = field ?? undefined;
    this.retryAfter = retry_after ?? undefined;
    this.body = problem ?? undefined;
  }

  /** The same as `body`. */
  get error(): unknown {
    return this.body;
  }
}

/** 400: the request is wrong; `field` says where, when it is one field. */
export class BadRequestError extends APIError {}
/** 401: no key, or one that is not good any more. */
export class AuthenticationError extends APIError {}
/** 403: the caller may not do this. */
export class PermissionDeniedError extends APIError {}
/** 404: there is no such thing, or the caller may not know of it. */
export class NotFoundError extends APIError {}
/** 409: it can't be done now. */
export class ConflictError extends APIError {}
/** 422: the request was understood and can't be done. */
export class UnprocessableEntityError extends APIError {}
/** 429: too many calls; `retryAfter` says how long to wait. */
export class RateLimitError extends APIError {}
/** 5xx: the server failed. */
export class InternalServerError extends APIError {}
/** The server was not reached, or its answer broke off. */
export class APIConnectionError extends APIError {}
/** The server did not answer in time. */
export class APIConnectionTimeoutError extends APIConnectionError {}
/** The call's `AbortSignal` ended it. */
export class APIUserAbortError extends APIError {
  constructor(reason?: unknown) {
    super({ kind: 'abort', message: 'Request was aborted.' });
    if (reason !== undefined) this.cause = reason;
  }
}
/** A defect of this package: its native part panicked. The process goes on. */
export class PanicError extends OzError {}

const BY_STATUS: Record<number, typeof APIError> = {
  400: BadRequestError,
  401: AuthenticationError,
  403: PermissionDeniedError,
  404: NotFoundError,
  409: ConflictError,
  422: UnprocessableEntityError,
  429: RateLimitError,
};

/** The error of a failure. */
export function errorOf(failure: Failure): OzError {
  const { kind, message, status } = failure;
  if (kind === 'panic') return new PanicError(message, kind);
  if (kind === 'config') return new OzError(message, kind);
  if (kind === 'connect') return new APIConnectionError(failure);
  if (kind === 'timeout') return new APIConnectionTimeoutError(failure);
  if (status == null) return new APIError(failure);
  return new (BY_STATUS[status] ?? (status >= 500 ? InternalServerError : APIError))(failure);
}

/** The error of what the native part threw or delivered: a failure as JSON, or something that no failure became. */
export function thrown(error: unknown): unknown {
  const text = typeof error === 'string' ? error : error instanceof Error ? error.message : '';
  if (!text.startsWith('{')) return error;
  return errorOf(JSON.parse(text) as Failure);
}
