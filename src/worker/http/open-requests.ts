/** Counts the open HTTP requests, so that a worker can stop when there are none. */
import type { Server } from 'node:http'

export class OpenRequests {
  #open = 0
  #idle: (() => void)[] = []

  constructor(server: Server) {
    server.prependListener('request', (_request, response) => {
      this.#open += 1
      response.once('close', () => {
        this.#open -= 1
        if (this.#open === 0) for (const resolve of this.#idle.splice(0)) resolve()
      })
    })
  }

  /** Resolves when no request is open. */
  idle(): Promise<void> {
    if (this.#open === 0) return Promise.resolve()
    return new Promise((resolve) => this.#idle.push(resolve))
  }
}
