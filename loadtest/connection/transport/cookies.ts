/** Cookies of a load balancer: name and value of each are stored and sent back to the one server. */
import type { IncomingHttpHeaders } from 'node:http'

/** A server that sets more is not a load balancer. */
const MAX_COOKIES = 20

export class Cookies {
  readonly #values = new Map<string, string>()

  take(headers: IncomingHttpHeaders): void {
    for (const line of headers['set-cookie'] ?? []) {
      const [, name, value] = /^([^=;\s]+)=([^;]*)/.exec(line) ?? []
      if (name === undefined || value === undefined) continue
      if (this.#values.has(name) || this.#values.size < MAX_COOKIES) this.#values.set(name, value)
    }
  }

  /** Request headers. */
  headers(): { cookie?: string } {
    if (this.#values.size === 0) return {}
    return { cookie: [...this.#values].map(([name, value]) => `${name}=${value}`).join('; ') }
  }
}
