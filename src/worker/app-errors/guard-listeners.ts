/**
 * Stands between Socket.IO and the application's listeners. All sockets and namespaces call them by the same
 * few methods, which are replaced here for the whole process.
 */
import type { EventEmitter } from 'node:events'
import type { Logger } from 'pino'
import { Namespace, type Server, Socket } from 'socket.io'
import { RookeryError } from '../../wire/errors.ts'
import type { AppErrors, Origin } from './app-errors.ts'
import { isMethod, type Method, wrapMethod } from './wrap-method.ts'

export function guardListeners(io: Server, errors: AppErrors, logger: Logger): void {
  const replace = (target: object, name: string, wrap: (original: Method) => Method) =>
    wrapMethod(target, name, { logger, wrap })
  /** The class that sockets and namespaces have in common. */
  const emitter: object = Object.getPrototypeOf(Socket.prototype)
  replace(emitter, 'emitUntyped', (emit) => guardedEmit(errors, emit))
  replace(emitter, 'emitReserved', (emit) => guardedEmit(errors, emit))
  replace(
    Socket.prototype,
    'onevent',
    (onEvent) =>
      function (packet) {
        // The other listeners of an event are called later, by `emitUntyped`.
        if (!(this instanceof Socket) || this.listenersAny().length === 0)
          return Reflect.apply(onEvent, this, [packet])
        return errors.run(packetOrigin(this, packet), () => Reflect.apply(onEvent, this, [packet]))
      },
  )
  replace(Socket.prototype, 'registerAckCallback', (register) => {
    return function (id, ack) {
      const socket = this instanceof Socket ? this : undefined
      const origin: Origin = { where: 'ack', socket, namespace: socket?.nsp.name }
      return Reflect.apply(register, this, [id, guardedCallback(errors, origin, ack)])
    }
  })
  // The class of broadcasts, and the other calls whose answers come from other processes.
  const guardLast = (emit: Method): Method =>
    function (...args) {
      const last = args.at(-1)
      if (!isMethod(last)) return Reflect.apply(emit, this, args)
      const origin = errors.current ?? { where: 'ack', event: nameOf(args[0]) }
      return Reflect.apply(emit, this, [...args.slice(0, -1), guardedCallback(errors, origin, last)])
    }
  replace(Object.getPrototypeOf(io.local), 'emit', guardLast)
  replace(Namespace.prototype, 'serverSideEmit', guardLast)
}

/** Listeners of a server-side event. @param failed called when one fails: the other side waits for its answer */
export function emitServerSide(
  errors: AppErrors,
  { namespace, args, failed }: { namespace: Namespace; args: unknown[]; failed: (error: unknown) => void },
): void {
  const [event, ...rest] = args
  const origin: Origin = { where: 'server', event: nameOf(event), namespace: namespace.name, fail: failed }
  callListeners(errors, origin, { emitter: namespace, event, args: rest })
}

interface Emission {
  emitter: EventEmitter
  event: unknown
  args: unknown[]
}

/** As `emit`. The first listener that throws is the last one, except for events that end something. */
function callListeners(errors: AppErrors, origin: Origin, { emitter, event, args }: Emission): void {
  for (const listener of emitter.rawListeners(event as string)) {
    const isDone = errors.call(origin, listener as Method, emitter, args)
    if (!isDone && origin.where !== 'disconnect') return
  }
}

function guardedEmit(errors: AppErrors, emit: Method): Method {
  return function (event, ...args) {
    const origin =
      this instanceof Socket
        ? socketOrigin(this, event, args)
        : this instanceof Namespace
          ? namespaceOrigin(this, event, args)
          : undefined
    if (origin === undefined) return Reflect.apply(emit, this, [event, ...args])
    const emitter = this as Socket | Namespace
    const count = emitter.listenerCount(event as string)
    if (count === 0 && event !== 'error') return false
    // Node.js has rules of its own for this event.
    if (event === 'error') errors.call(origin, emit, this, [event, ...args])
    else callListeners(errors, origin, { emitter, event, args })
    return true
  }
}

const ENDS = new Set<unknown>(['disconnect', 'disconnecting'])

function socketOrigin(socket: Socket, event: unknown, args: unknown[]): Origin {
  if (!ENDS.has(event)) return eventOrigin(socket, event, args.at(-1))
  return { where: 'disconnect', event: nameOf(event), namespace: socket.nsp.name, socket }
}

/** The event is over; whoever waits for its ack gets the error. */
function eventOrigin(socket: Socket, event: unknown, ack: unknown): Origin {
  const fail = isMethod(ack) ? (error: unknown) => void ack({ ok: false, error: errorFor(error) }) : undefined
  return { where: 'event', event: nameOf(event), namespace: socket.nsp.name, socket, fail }
}

/** A new socket whose listeners may be missing is of no use: its client connects again. */
function namespaceOrigin(namespace: Namespace, event: unknown, [socket]: unknown[]): Origin {
  const origin = { event: nameOf(event), namespace: namespace.name }
  if (!(socket instanceof Socket)) return { where: 'namespace', ...origin }
  return { where: 'connection', ...origin, socket, fail: () => socket.conn.close() }
}

/** For what runs before the listeners of an event: it gets an ack of its own, of which clients take the first. */
function packetOrigin(socket: Socket, packet: unknown): Origin {
  const { data, id } = packet as { data?: unknown[]; id?: number | null }
  const ack = (answer: unknown) => {
    if (typeof id === 'number') Reflect.apply(socket['ack'](id), socket, [answer])
  }
  return eventOrigin(socket, data?.[0], ack)
}

function guardedCallback(errors: AppErrors, origin: Origin, callback: unknown): unknown {
  if (!isMethod(callback)) return callback
  return function (this: unknown, ...args: unknown[]) {
    errors.call(origin, callback, this, args)
  }
}

function nameOf(event: unknown): string | undefined {
  return typeof event === 'string' ? event : undefined
}

/** What clients may know of an error. */
export function errorFor(error: unknown) {
  const told = error instanceof RookeryError ? error : new RookeryError('internal', 'the request failed')
  return told.toBody()
}

/** For callbacks that take nothing, or `undefined`, for a success: code may throw that too. */
export function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
