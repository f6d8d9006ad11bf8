/**
 * The other hosts as this one hears them: who is there, up to where each has been heard, who has been silent for too
 * long. A table and nothing else: time and chance come in. A host that has not proven itself is not in it.
 */
import type { HostInfo } from './backplane.ts'

interface Peer {
  info: HostInfo
  n: number
  base: number
  heardAtMs: number
}

export interface HeardHead {
  host: string
  n: number
  base: number
  to: string
}

/** `unknown`: it has not proven itself. `replayed`: it has been heard before. `gap`: something before it may be lost. */
export type Verdict = 'unknown' | 'replayed' | 'gap' | 'fine'

export class HostTable {
  readonly #peers = new Map<string, Peer>()
  readonly #maxHosts: number

  constructor(maxHosts: number) {
    this.#maxHosts = maxHosts
  }

  get size(): number {
    return this.#peers.size
  }

  list(): HostInfo[] {
    return [...this.#peers.values()].map(({ info }) => info)
  }

  has(host: string): boolean {
    return this.#peers.has(host)
  }

  /** The host has proven itself by the message that `head` was on. @returns false when there are too many */
  join(info: HostInfo, head: HeardHead, nowMs: number): boolean {
    if (!this.#peers.has(info.host) && this.#peers.size >= this.#maxHosts) return false
    this.#peers.set(info.host, { info, n: head.n, base: head.base, heardAtMs: nowMs })
    return true
  }

  /** Notes what has come from a host. */
  receive({ host, n, base, to }: HeardHead, nowMs: number): Verdict {
    const peer = this.#peers.get(host)
    if (peer === undefined) return 'unknown'
    if (n <= peer.n) return 'replayed'
    const expected = to === 'all' ? peer.base + 1 : peer.base
    peer.n = n
    peer.base = base
    peer.heardAtMs = nowMs
    return base === expected ? 'fine' : 'gap'
  }

  remove(host: string): HostInfo | undefined {
    const info = this.#peers.get(host)?.info
    this.#peers.delete(host)
    return info
  }

  /** Those that have said nothing since then. */
  silentSince(ms: number): HostInfo[] {
    return [...this.#peers.values()].filter(({ heardAtMs }) => heardAtMs < ms).map(({ info }) => info)
  }

  /** Nobody could have been heard up to now: silence counts from here. */
  restart(nowMs: number): void {
    for (const peer of this.#peers.values()) peer.heardAtMs = nowMs
  }
}
