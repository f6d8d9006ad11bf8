/** Workers of other hosts that something has come from, under the names that they have on a link. Bounded. */

/** Workers of one host that are remembered, so that its going can be told of each. */
const MAX_SEEN = 1_024

/** A worker of another host: `<host tag>:<worker>`. */
export const remoteName = (host: string, worker: string) => `${host}:${worker}`

export class RemoteWorkers {
  readonly #byHost = new Map<string, Set<string>>()

  /** It is remembered. @returns its name on a link */
  name(host: string, worker: string): string {
    const seen = this.#byHost.get(host) ?? new Set<string>()
    this.#byHost.set(host, seen)
    if (seen.size < MAX_SEEN) seen.add(worker)
    return remoteName(host, worker)
  }

  forget(host: string, worker: string): void {
    this.#byHost.get(host)?.delete(worker)
  }

  /** @returns those that were remembered */
  forgetHost(host: string): ReadonlySet<string> {
    const seen = this.#byHost.get(host) ?? new Set<string>()
    this.#byHost.delete(host)
    return seen
  }
}
