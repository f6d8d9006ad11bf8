/**
 * Errors of the application's code. Each is tied to what the code was called for (a socket and its event, a
 * request), also when it comes from a timer or a promise that the code left behind. It is counted, logged and
 * told to the application, and ends what it belongs to, at most that one connection. What belongs to nothing
 * leaves the process in doubt: the worker is replaced in order.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { types } from 'node:util'
import type { Logger } from 'pino'
import { Counter, type Registry } from 'prom-client'
import { Listeners } from '../../core/listeners.ts'
import { LogThrottle } from '../../core/log-throttle.ts'
import type { AppErrorListener, AppErrorOrigin } from '../../wire/app.ts'
import { clientKey } from './client-key.ts'
import { DisconnectListeners } from './disconnect-listeners.ts'
import { hideInheritedProperties } from './object-prototype.ts'
import { Offenders } from './offenders.ts'
import type { Method } from './wrap-method.ts'

/** Where an error came from, and how to end what waits for the code that failed. */
export interface Origin extends AppErrorOrigin {
  /** Called at each error: it may be called more than once. */
  readonly fail?: ((error: unknown) => void) | undefined
}

export interface AppErrorsOptions {
  /** `exit`: every error ends the worker, as in plain Node.js. */
  policy: 'contain' | 'exit'
  /** Follows the code into its timers and promises, which costs CPU time for each promise. */
  followsAsync: boolean
  /** Ends the worker. */
  exit: (error: unknown) => void
  /** The worker is in doubt, and is to be replaced in order. */
  replace: (error: unknown) => void
  logger: Logger
  registry: Registry
  now: () => number
}

/** Further events are counted as `other`: clients choose the names of events. */
const MAX_EVENTS = 100
const MAX_EVENT_CHARS = 64
/** Least time between two log lines about errors of the same event. */
const LOG_MS = 1_000
/** Of a name or a path that a client has chosen. */
const LOGGED_CHARS = 200
const UNKNOWN: Origin = { where: 'unknown' }
/** Of the listener for errors, which must not be told of its own. */
const LISTENER: Origin = { where: 'unknown', event: 'onError' }

export class AppErrors {
  readonly offenders: Offenders
  readonly disconnects: DisconnectListeners
  readonly #options: AppErrorsOptions
  readonly #scope: AsyncLocalStorage<Origin> | undefined
  readonly #counted: Counter
  readonly #events = new Set<string>()
  /** By the labels of the metric. */
  readonly #throttles = new Map<string, LogThrottle>()
  readonly #listeners: Listeners<[error: unknown, origin: AppErrorOrigin]>
  #isInDoubt = false
  #hasFixedProperties = false

  constructor(options: AppErrorsOptions) {
    const { logger, registry, now } = options
    this.#options = options
    this.#scope = options.followsAsync ? new AsyncLocalStorage() : undefined
    this.offenders = new Offenders({ registry, now })
    this.disconnects = new DisconnectListeners({ logger, registry })
    this.#counted = new Counter({
      name: 'rookery_app_errors_total',
      help: 'Errors of the application, by where and for which event its code was called',
      labelNames: ['where', 'event'],
      registers: [registry],
    })
    this.#listeners = new Listeners((error) =>
      logger.error({ err: error }, "the application's listener for errors threw an error"),
    )
  }

  /** What the running code was called for, if it is known. */
  get current(): Origin | undefined {
    return this.#scope?.getStore()
  }

  listen(listener: AppErrorListener): void {
    this.#listeners.add((error, origin) => void this.run(LISTENER, () => listener(error, origin)))
  }

  /**
   * Runs code of the application. What it throws, and what its promise rejects with, goes no further.
   * @returns false if it threw
   */
  run(origin: Origin, task: () => unknown): boolean {
    return this.call(origin, task, undefined, [])
  }

  /** As `run`, without a closure for each call. */
  call(origin: Origin, code: Method, self: unknown, args: unknown[]): boolean {
    try {
      const result: unknown =
        this.#scope === undefined
          ? Reflect.apply(code, self, args)
          : this.#scope.run(origin, Reflect.apply, code, self, args)
      // Not other thenables: some start their work when `then` is called.
      if (types.isPromise(result)) this.#follow(result, origin)
      return true
    } catch (error) {
      this.caught(error, origin)
      return false
    }
  }

  #follow(promise: Promise<unknown>, origin: Origin): void {
    const handled = promise.then(undefined, (error: unknown) => this.caught(error, origin))
    if (origin.where === 'disconnect') this.disconnects.add(handled)
  }

  caught(error: unknown, origin: Origin): void {
    if (this.#options.policy === 'exit') {
      this.#options.exit(error)
      return
    }
    this.report(error, origin)
    try {
      origin.fail?.(error)
    } catch (failure) {
      this.#options.logger.error({ err: failure }, 'what an error belongs to could not be ended')
    }
    if (origin.socket !== undefined) this.#noteOffence(origin.socket)
  }

  /** @returns whether there was something to hide: it explains errors that belong to nobody */
  hideInherited(): boolean {
    const { hidden, fixed } = hideInheritedProperties()
    if (hidden.length > 0)
      this.#options.logger.warn(
        { properties: hidden },
        'the application has added properties to Object.prototype: they are hidden from `for … in`',
      )
    if (fixed.length > 0 && !this.#hasFixedProperties)
      this.#options.logger.error(
        { properties: fixed },
        'the application has added properties to Object.prototype that can not be hidden from `for … in`',
      )
    this.#hasFixedProperties = fixed.length > 0
    return hidden.length > 0
  }

  /** An error that nothing caught. */
  uncaught(error: unknown): void {
    const origin = this.current
    if (origin !== undefined || this.#options.policy === 'exit') {
      this.caught(error, origin ?? UNKNOWN)
      return
    }
    const isExplained = this.hideInherited()
    this.report(error, UNKNOWN)
    if (this.#isInDoubt || isExplained) return
    this.#isInDoubt = true
    this.#options.replace(error)
  }

  /** Counts and logs it, and tells the application. */
  report(error: unknown, origin: Origin): void {
    // It would make this fail too.
    this.hideInherited()
    const labels = { where: origin.where, event: this.#eventLabel(origin) }
    this.#counted.inc(labels)
    this.#throttleOf(`${labels.where} ${labels.event}`).run((heldBack) =>
      this.#options.logger.error(
        { err: error, ...described(origin), heldBack },
        'an error in the application',
      ),
    )
    if (origin === LISTENER) return
    const { fail: _, ...told } = origin
    this.#listeners.call(error, told)
  }

  #noteOffence(socket: NonNullable<Origin['socket']>): void {
    if (!this.offenders.note(clientKey(socket.handshake))) return
    this.#options.logger.warn(
      { socket: socket.id, address: socket.handshake.address, holdOffMs: this.offenders.holdOffMs },
      'a client that causes errors again and again is held off',
    )
    socket.conn.close()
  }

  #eventLabel(origin: Origin): string {
    const { event } = origin
    if (event === undefined) return ''
    if (this.#events.has(event)) return event
    if (!isOfApplication(origin) || event.length > MAX_EVENT_CHARS || this.#events.size >= MAX_EVENTS)
      return 'other'
    this.#events.add(event)
    return event
  }

  #throttleOf(labels: string): LogThrottle {
    const throttle = this.#throttles.get(labels) ?? new LogThrottle(LOG_MS, this.#options.now)
    this.#throttles.set(labels, throttle)
    return throttle
  }
}

/** Any other name was chosen by a client alone. */
function isOfApplication({ where, event = '', socket }: Origin): boolean {
  if (where !== 'event' && where !== 'middleware') return true
  return event === 'connection' || socket === undefined || socket.listenerCount(event) > 0
}

function described({ where, event, namespace, socket, request }: Origin): object {
  return {
    where,
    ...(event === undefined ? {} : { event: event.slice(0, LOGGED_CHARS) }),
    ...(namespace === undefined ? {} : { nsp: namespace.slice(0, LOGGED_CHARS) }),
    ...(socket === undefined ? {} : { socket: socket.id }),
    ...(request === undefined ? {} : { request: `${request.method} ${pathOf(request)}` }),
  }
}

/** Without the query, which may hold secrets. */
function pathOf({ url = '' }: NonNullable<Origin['request']>): string {
  return (url.split('?', 1)[0] ?? '').slice(0, LOGGED_CHARS)
}
