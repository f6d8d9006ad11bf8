/**
 * The one table of errors that a client, an HTTP caller or a worker can be given.
 * `retryable` says whether the same call may succeed later without being changed; `status` is its HTTP status.
 */
export const errorTable = {
  bad_request: { status: 400, retryable: false },
  unauthenticated: { status: 401, retryable: false },
  forbidden: { status: 403, retryable: false },
  not_joined: { status: 403, retryable: false },
  not_found: { status: 404, retryable: false },
  conflict: { status: 409, retryable: false },
  too_large: { status: 413, retryable: false },
  rate_limited: { status: 429, retryable: true },
  internal: { status: 500, retryable: true },
  unavailable: { status: 503, retryable: true },
  draining: { status: 503, retryable: true },
} as const

export type ErrorCode = keyof typeof errorTable

/** The error as it stands in an ack, in an HTTP body and in a reply on the link. */
export interface ErrorBody {
  code: ErrorCode
  message: string
  retryable: boolean
  /** Wait at least so many milliseconds before the next try. */
  retryAfterMs?: number
}

/** An error meant for whoever made the call. Anything else that is thrown becomes `internal` at the edge. */
export class RookeryError extends Error {
  readonly code: ErrorCode
  readonly retryAfterMs: number | undefined

  constructor(code: ErrorCode, message: string, options: { retryAfterMs?: number; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'RookeryError'
    this.code = code
    this.retryAfterMs = options.retryAfterMs
  }

  get retryable(): boolean {
    return errorTable[this.code].retryable
  }

  get status(): number {
    return errorTable[this.code].status
  }

  toBody(): ErrorBody {
    const body: ErrorBody = { code: this.code, message: this.message, retryable: this.retryable }
    if (this.retryAfterMs !== undefined) body.retryAfterMs = this.retryAfterMs
    return body
  }

  /** The error that `body` described on the other side of a process boundary. */
  static fromBody(body: ErrorBody): RookeryError {
    return new RookeryError(
      body.code,
      body.message,
      body.retryAfterMs === undefined ? {} : { retryAfterMs: body.retryAfterMs },
    )
  }
}
