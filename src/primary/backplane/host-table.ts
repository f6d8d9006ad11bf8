/**
 * Table of the other hosts: last sequence numbers and last time of contact. Contains only hosts that have
 * proven themselves. No I/O; time is passed in.
 */
import type { HostStatus } from '../../wire/host-messages.ts'
import type { HostInfo, HostReport } from './backplane.ts'

interface Peer {
  info: HostInfo
  /** Number of its last message. */
  n: number
  /** How many of its messages went to all hosts (`wire/host-messages.ts`). */
  base: number
  receivedAtMs: number
  /** What it said of itself, and when. */
  told?: { status: HostStatus; atMs: number }
}

export interface MessageHeader {
  host: string
  n: number
  base: number
  to: string
}

/**
 * `unknown`: the host has not proven itself. `replayed`: seen before. `gap`: earlier messages may be lost.
 */
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

  /**
   * Adds a host that has proven itself with the message of `head`. @returns false if there are too many hosts
   */
  join(info: HostInfo, head: MessageHeader, nowMs: number): boolean {
    if (!this.#peers.has(info.host) && this.#peers.size >= this.#maxHosts) return false
    this.#peers.set(info.host, { info, n: head.n, base: head.base, receivedAtMs: nowMs })
    return true
  }

  /** Checks and records the numbers of a message. */
  receive({ host, n, base, to }: MessageHeader, nowMs: number): Verdict {
    const peer = this.#peers.get(host)
    if (peer === undefined) return 'unknown'
    if (n <= peer.n) return 'replayed'
    const expected = to === 'all' ? peer.base + 1 : peer.base
    peer.n = n
    peer.base = base
    peer.receivedAtMs = nowMs
    return base === expected ? 'fine' : 'gap'
  }

  /** What a host says of itself. */
  tell(host: string, status: HostStatus, nowMs: number): void {
    const peer = this.#peers.get(host)
    if (peer !== undefined) peer.told = { status, atMs: nowMs }
  }

  reports(nowMs: number): HostReport[] {
    return [...this.#peers.values()].map(({ info, told }) => ({
      name: info.name,
      status: told?.status,
      ageMs: told === undefined ? 0 : Math.max(0, nowMs - told.atMs),
    }))
  }

  remove(host: string): HostInfo | undefined {
    const info = this.#peers.get(host)?.info
    this.#peers.delete(host)
    return info
  }

  /** Hosts without a message since then. */
  silentSince(ms: number): HostInfo[] {
    return [...this.#peers.values()].filter(({ receivedAtMs }) => receivedAtMs < ms).map(({ info }) => info)
  }

  /** Nothing could be received until now, so silence is measured from now on. */
  restart(nowMs: number): void {
    for (const peer of this.#peers.values()) peer.receivedAtMs = nowMs
  }
}
