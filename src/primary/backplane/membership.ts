/**
 * The hosts that have proven to be there: asks those that have not who they are, tells who asks who this one is, and says
 * who has come and who is gone. It takes what has been opened, and sends by what it is given.
 */
import { randomBytes } from 'node:crypto'
import type { Logger } from 'pino'
import type { HostTalk } from '../../wire/host-messages.ts'
import type { HostChange, HostInfo } from './backplane.ts'
import type { Opened } from './envelope.ts'
import type { Verdict } from './host-table.ts'
import { HostTable } from './host-table.ts'
import { HostNonces } from './nonces.ts'
import type { BackplaneSettings } from './settings.ts'

const NONCE_BYTES = 18

export interface CircleOptions {
  /** This host. */
  host: HostInfo
  settings: BackplaneSettings
  logger: Logger
  say(target: 'all' | { host: string }, talk: HostTalk): void
  changed(change: HostChange): void
  refuse(reason: string): void
}

export class HostCircle {
  readonly #options: CircleOptions
  readonly #table: HostTable
  readonly #nonces: HostNonces

  constructor(options: CircleOptions) {
    this.#options = options
    const { maxHosts, whoValidMs, whoAgainMs } = options.settings
    this.#table = new HostTable(maxHosts)
    this.#nonces = new HostNonces({
      draw: () => randomBytes(NONCE_BYTES).toString('base64url'),
      validMs: whoValidMs,
      askAgainMs: whoAgainMs,
    })
  }

  get size(): number {
    return this.#table.size
  }

  list(): HostInfo[] {
    return this.#table.list()
  }

  has(host: string): boolean {
    return this.#table.has(host)
  }

  /** Nobody could have been heard up to now: silence counts from here. */
  restart(): void {
    this.#table.restart(performance.now())
  }

  askAll(): void {
    this.#options.say('all', { type: 'who', nonce: this.#nonces.askAll(performance.now()) })
  }

  /** Whoever has said nothing since then is gone. */
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

  hear(opened: Opened): Verdict {
    return this.#table.hear(opened, performance.now())
  }

  /** What a host in the circle says to this one. */
  answer(host: string, talk: HostTalk): void {
    if (talk.type === 'who') this.#introduce(host, talk.nonce)
    else if (talk.type === 'iam' && talk.ask !== undefined) this.#introduce(host, talk.ask)
    else if (talk.type === 'bye') this.drop(host, 'it said so')
  }

  /** What a host that is not in the circle says. */
  meet(opened: Opened): void {
    const { host, said } = opened
    const nowMs = performance.now()
    const talk = said.kind === 'talk' ? said.talk : undefined
    if (talk?.type === 'bye') return undefined
    if (talk?.type === 'iam') {
      if (this.#nonces.redeem(host, talk.answer, nowMs)) return this.#join(opened, talk)
      return this.#options.refuse('unasked')
    }
    const ask = this.#nonces.ask(host, nowMs)
    if (talk?.type === 'who') return this.#introduce(host, talk.nonce, ask)
    if (ask !== undefined) this.#options.say({ host }, { type: 'who', nonce: ask })
    return undefined
  }

  #join(opened: Opened, { name, forwardTo, ask }: HostTalk & { type: 'iam' }): void {
    const { host: own, logger } = this.#options
    const info: HostInfo = { host: opened.host, name, forwardTo }
    const namesake = [own, ...this.#table.list()].find((other) => other.name === name)
    if (!this.#table.join(info, opened, performance.now())) return this.#options.refuse('crowded')
    if (namesake !== undefined)
      logger.warn({ name, hosts: [namesake.host, info.host] }, 'two hosts have one name')
    logger.info(onLines(info), 'a host has come')
    if (ask !== undefined) this.#introduce(info.host, ask)
    return this.#options.changed({ type: 'joined', host: info })
  }

  #introduce(host: string, answer: string, ask?: string): void {
    const { name, forwardTo } = this.#options.host
    const said: HostTalk = { type: 'iam', answer, name }
    if (ask !== undefined) said.ask = ask
    if (forwardTo !== undefined) said.forwardTo = forwardTo
    this.#options.say({ host }, said)
  }
}

/** As it stands on lines of the log, where `host` is this one. */
function onLines({ host, name, forwardTo }: HostInfo): object {
  return { peer: name, peerTag: host, forwardTo }
}
