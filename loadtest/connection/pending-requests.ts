/** Requests that wait for their ack. Bounded by what is sent within their time-out. */
import { RequestFailed } from './connection.ts'

interface Waiting {
  resolve(answer: unknown): void
  reject(error: RequestFailed): void
  timer: NodeJS.Timeout
}

export class PendingRequests {
  readonly #waiting = new Map<number, Waiting>()
  #next = 0

  /** @param send gets the reference that the answer will carry */
  add(timeoutMs: number, send: (ref: number) => void): Promise<unknown> {
    const ref = this.#next
    this.#next += 1
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#fail(ref, 'timeout'), timeoutMs)
      this.#waiting.set(ref, { resolve, reject, timer })
      send(ref)
    })
  }

  /** An answer after the time-out is ignored. */
  settle(ref: number, answer: unknown): void {
    this.#take(ref)?.resolve(answer)
  }

  failAll(): void {
    for (const ref of this.#waiting.keys()) this.#fail(ref, 'disconnect')
  }

  #fail(ref: number, reason: RequestFailed['reason']): void {
    this.#take(ref)?.reject(new RequestFailed(reason))
  }

  #take(ref: number): Waiting | undefined {
    const waiting = this.#waiting.get(ref)
    if (waiting === undefined) return undefined
    clearTimeout(waiting.timer)
    this.#waiting.delete(ref)
    return waiting
  }
}
