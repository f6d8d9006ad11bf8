/**
 * Membership of the cluster: challenges unknown hosts, answers the challenges of others, and reports which
 * hosts join and leave. Works on opened messages; sending is passed in.
 */
import { randomBytes } from 'node:crypto'
import type { Logger } from 'pino'
import type { HostControlMessage } from '../../wire/host-messages.ts'
import type { HostChange, HostInfo, HostReport } from './backplane.ts'
import type { Opened } from './envelope.ts'
import type { Verdict } from './host-table.ts'
import { HostTable } from './host-table.ts'
import { ChallengeNonces } from './nonces.ts'
import type { BackplaneSettings } from './settings.ts'

const NONCE_BYTES = 18

export interface MembershipOptions {
  /** This host. */
  host: HostInfo
  settings: BackplaneSettings
  logger: Logger
  send(target: 'all' | { host: string }, control: HostControlMessage): void
  changed(change: HostChange): void
  refuse(reason: string): void
}

export class ClusterMembership {
  readonly #options: MembershipOptions
  readonly #table: HostTable
  readonly #nonces: ChallengeNonces

  constructor(options: MembershipOptions) {
    this.#options = options
    const { maxHosts, challengeValidMs, challengeAgainMs } = options.settings
    this.#table = new HostTable(maxHosts)
    this.#nonces = new ChallengeNonces({
      draw: () => randomBytes(NONCE_BYTES).toString('base64url'),
      validMs: challengeValidMs,
      askAgainMs: challengeAgainMs,
    })
  }

  get size(): number {
    return this.#table.size
  }

  list(): HostInfo[] {
    return this.#table.list()
  }

  reports(): HostReport[] {
    return this.#table.reports(performance.now())
  }

  has(host: string): boolean {
    return this.#table.has(host)
  }

  /** Nothing could be received until now, so silence is measured from now on. */
  restart(): void {
    this.#table.restart(performance.now())
  }

  askAll(): void {
    this.#options.send('all', { type: 'who', nonce: this.#nonces.askAll(performance.now()) })
  }

  /** Drops hosts without a message since then. */
  dropSilent(sinceMs: number): void {
    for (const { host } of this.#table.silentSince(sinceMs)) this.drop(host, 'silent')
  }

  dropAll(why: string): void {
    for (const { host } of this.#table.list()) this.drop(host, why)
  }

  drop(host: string, why: string): void {
    const info = this.#table.remove(host)
    if (info === undefined) return
    this.#options.logger.warn({ ...onLines(info), why }, 'a host is gone')
    this.#options.changed({ type: 'gone', host: info })
  }

  receive(opened: Opened): Verdict {
    return this.#table.receive(opened, performance.now())
  }

  /** Handles a membership message of a known host. */
  handle(host: string, control: HostControlMessage): void {
    if (control.type === 'who') this.#introduce(host, control.nonce)
    else if (control.type === 'iam' && control.ask !== undefined) this.#introduce(host, control.ask)
    else if (control.type === 'bye') this.drop(host, 'it said so')
    else if (control.type === 'beat' && control.status !== undefined)
      this.#table.tell(host, control.status, performance.now())
  }

  /** Handles a message of a host that has not proven itself. */
  handleUnknown(opened: Opened): void {
    const { host, content } = opened
    const nowMs = performance.now()
    const control = content.kind === 'control' ? content.control : undefined
    if (control?.type === 'bye') return undefined
    if (control?.type === 'iam') {
      if (this.#nonces.redeem(host, control.answer, nowMs)) return this.#join(opened, control)
      return this.#options.refuse('unasked')
    }
    const ask = this.#nonces.ask(host, nowMs)
    if (control?.type === 'who') return this.#introduce(host, control.nonce, ask)
    if (ask !== undefined) this.#options.send({ host }, { type: 'who', nonce: ask })
    return undefined
  }

  #join(opened: Opened, { name, forwardTo, ask }: HostControlMessage & { type: 'iam' }): void {
    const { host: own, logger } = this.#options
    const info: HostInfo = { host: opened.host, name, forwardTo }
    const namesake = [own, ...this.#table.list()].find((other) => other.name === name)
    if (!this.#table.join(info, opened, performance.now())) return this.#options.refuse('crowded')
    if (namesake !== undefined)
      logger.warn({ name, hosts: [namesake.host, info.host] }, 'two hosts have the same name')
    logger.info(onLines(info), 'a host has joined')
    if (ask !== undefined) this.#introduce(info.host, ask)
    return this.#options.changed({ type: 'joined', host: info })
  }

  #introduce(host: string, answer: string, ask?: string): void {
    const { name, forwardTo } = this.#options.host
    const reply: HostControlMessage = { type: 'iam', answer, name }
    if (ask !== undefined) reply.ask = ask
    if (forwardTo !== undefined) reply.forwardTo = forwardTo
    this.#options.send({ host }, reply)
  }
}

/** Fields for log lines, where `host` means this host. */
function onLines({ host, name, forwardTo }: HostInfo): object {
  return { peer: name, peerTag: host, forwardTo }
}
