/** Workers of other hosts that have sent messages, with their names on a link. Bounded. */

/** Limit of remembered workers of one host. When the host goes, each of them is reported as gone. */
const MAX_SEEN = 1_024

/** Name of a remote worker: `<host tag>:<worker>`. */
export const remoteName = (host: string, worker: string) => `${host}:${worker}`

export class RemoteWorkers {
  readonly #byHost = new Map<string, Set<string>>()

  /** Remembers the worker. @returns its name on a link */
  name(host: string, worker: string): string {
    const seen = this.#byHost.get(host) ?? new Set<string>()
    this.#byHost.set(host, seen)
    if (seen.size < MAX_SEEN) seen.add(worker)
    return remoteName(host, worker)
  }

  forget(host: string, worker: string): void {
    this.#byHost.get(host)?.delete(worker)
  }

  /** @returns the remembered workers */
  forgetHost(host: string): ReadonlySet<string> {
    const seen = this.#byHost.get(host) ?? new Set<string>()
    this.#byHost.delete(host)
    return seen
  }
}
