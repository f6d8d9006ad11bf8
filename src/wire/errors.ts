/**
 * The table of errors that clients, HTTP callers and workers can get.
 * `retryable`: the same call may succeed later, unchanged. `status`: the HTTP status.
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

/** The form of an error in an ack, in an HTTP body and in a reply on the link. */
export interface ErrorBody {
  code: ErrorCode
  message: string
  retryable: boolean
  /** Wait at least this long before the next try. */
  retryAfterMs?: number
}

/** An error for the caller. Anything else that is thrown becomes `internal`. */
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

  /** Restores an error from its body, on the other side of a process boundary. */
  static fromBody(body: ErrorBody): RookeryError {
    return new RookeryError(
      body.code,
      body.message,
      body.retryAfterMs === undefined ? {} : { retryAfterMs: body.retryAfterMs },
    )
  }
}
