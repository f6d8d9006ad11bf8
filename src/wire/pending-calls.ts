/**
 * The open calls of one side of a link. Each has an id and a deadline; their number is limited. No I/O: the
 * caller of `open` passes the function that sends the frame.
 */
import type { z } from 'zod'
import type { ErrorBody, ErrorCode } from './errors.ts'
import { errorTable, RookeryError } from './errors.ts'

interface OpenCall {
  method: string
  result: z.ZodType
  resolve(value: unknown): void
  reject(error: RookeryError): void
  timer: NodeJS.Timeout
}

export interface NewCall {
  method: string
  result: z.ZodType
  timeoutMs: number
  /** Sends the request with this id. If it throws, the call rejects. */
  send(id: number): void
}

export class PendingCalls {
  readonly #open = new Map<number, OpenCall>()
  readonly #maxOpen: number
  #lastId = 0

  constructor(maxOpen: number) {
    this.#maxOpen = maxOpen
  }

  get size(): number {
    return this.#open.size
  }

  /** Resolves with the reply if it fits `call.result`. Rejects with a `RookeryError` otherwise. */
  open(call: NewCall): Promise<unknown> {
    if (this.#open.size >= this.#maxOpen)
      return Promise.reject(new RookeryError('unavailable', `${call.method}: too many requests are waiting`))
    const id = this.#nextId()
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#open.delete(id)
        reject(new RookeryError('unavailable', `${call.method}: no reply within ${call.timeoutMs} ms`))
      }, call.timeoutMs)
      this.#open.set(id, { method: call.method, result: call.result, resolve, reject, timer })
      try {
        call.send(id)
      } catch (error) {
        this.#take(id)
        reject(asRookeryError(error, call.method))
      }
    })
  }

  /** @returns false when no call with this id is open */
  settle(id: number, ok: boolean, value: unknown): boolean {
    const call = this.#take(id)
    if (call === undefined) return false
    if (!ok) {
      call.reject(errorFrom(value, call.method))
      return true
    }
    const result = call.result.safeParse(value)
    if (result.success) call.resolve(result.data)
    else
      call.reject(
        new RookeryError('internal', `${call.method}: the reply does not fit: ${result.error.message}`),
      )
    return true
  }

  rejectAll(reason: string): void {
    for (const id of this.#open.keys()) {
      const call = this.#take(id)
      call?.reject(new RookeryError('unavailable', `${call.method}: ${reason}`))
    }
  }

  #take(id: number): OpenCall | undefined {
    const call = this.#open.get(id)
    if (call === undefined) return undefined
    clearTimeout(call.timer)
    this.#open.delete(id)
    return call
  }

  #nextId(): number {
    do this.#lastId = (this.#lastId + 1) >>> 0
    while (this.#open.has(this.#lastId))
    return this.#lastId
  }
}

function asRookeryError(error: unknown, method: string): RookeryError {
  if (error instanceof RookeryError) return error
  return new RookeryError('internal', `${method}: ${String(error)}`, { cause: error })
}

function errorFrom(value: unknown, method: string): RookeryError {
  if (isErrorBody(value)) return RookeryError.fromBody(value)
  return new RookeryError('internal', `${method}: failed without a reason that could be read`)
}

function isErrorBody(value: unknown): value is ErrorBody {
  if (typeof value !== 'object' || value === null) return false
  const { code, message, retryAfterMs } = value as Partial<Record<keyof ErrorBody, unknown>>
  if (retryAfterMs !== undefined && typeof retryAfterMs !== 'number') return false
  return typeof message === 'string' && isErrorCode(code)
}

function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(errorTable, code)
}
