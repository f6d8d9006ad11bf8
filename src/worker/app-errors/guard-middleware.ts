/**
 * Stands between Socket.IO and the application's middlewares. One that fails refuses the connection or the
 * event, as if it had called `next` with an error. Clients that are held off are refused before the first.
 */
import type { Logger } from 'pino'
import { Namespace, type Server, Socket } from 'socket.io'
import { RookeryError } from '../../wire/errors.ts'
import type { AppErrors, Origin } from './app-errors.ts'
import { clientKey } from './client-key.ts'
import { asError, errorFor } from './guard-listeners.ts'
import { isMethod, type Method, wrapMethod } from './wrap-method.ts'

export function guardMiddleware(io: Server, errors: AppErrors, logger: Logger): void {
  const replace = (target: object, name: string, wrap: (original: Method) => Method) =>
    wrapMethod(target, name, { logger, wrap })
  replace(
    Namespace.prototype,
    'run',
    (run) =>
      function (socket, done) {
        if (!(socket instanceof Socket && this instanceof Namespace && isMethod(done)))
          return Reflect.apply(run, this, [socket, done])
        const heldOffMs = errors.offenders.heldOffMs(() => clientKey(socket.handshake))
        if (heldOffMs > 0) return done(refusal(heldOffMs))
        const origin: Origin = { where: 'middleware', event: 'connection', namespace: this.name, socket }
        const refuse = (error: unknown) => done(withData(error))
        return runChain(errors, {
          functions: Reflect.get(this, '_fns'),
          subject: socket,
          origin,
          done,
          refuse,
        })
      },
  )
  replace(
    Socket.prototype,
    'run',
    (run) =>
      function (event, done) {
        if (!(this instanceof Socket && Array.isArray(event) && isMethod(done)))
          return Reflect.apply(run, this, [event, done])
        const [name, ...args] = event
        const origin: Origin = {
          where: 'middleware',
          event: typeof name === 'string' ? name : undefined,
          namespace: this.nsp.name,
          socket: this,
        }
        const refuse = (error: unknown) => {
          const ack: unknown = args.at(-1)
          if (isMethod(ack)) ack({ ok: false, error: errorFor(error) })
          done(asError(error))
        }
        return runChain(errors, { functions: Reflect.get(this, 'fns'), subject: event, origin, done, refuse })
      },
  )
  replace(
    Namespace.prototype,
    '_doConnect',
    (connect) =>
      function (socket, ...rest) {
        const run = () => Reflect.apply(connect, this, [socket, ...rest])
        if (!(socket instanceof Socket && this instanceof Namespace)) return run()
        const fail = () => socket.conn.close()
        return errors.run(
          { where: 'connection', event: 'connection', namespace: this.name, socket, fail },
          run,
        )
      },
  )
  // Functions that decide about dynamic namespaces.
  replace(
    io,
    '_checkNamespace',
    (check) =>
      function (name, auth, answer) {
        if (!isMethod(answer)) return Reflect.apply(check, this, [name, auth, answer])
        let isOver = false
        const answerOnce = (namespace: unknown) => {
          if (!isOver) answer(namespace)
          isOver = true
        }
        const fail = () => answerOnce(false)
        return errors.run({ where: 'namespace', fail }, () =>
          Reflect.apply(check, this, [name, auth, answerOnce]),
        )
      },
  )
}

interface Chain {
  functions: unknown
  /** The first argument of each function. */
  subject: unknown
  origin: Origin
  done: Method
  /** In place of `done` when a function fails before it has called `next`. */
  refuse: (error: unknown) => void
}

function runChain(errors: AppErrors, { functions, subject, origin, done, refuse }: Chain): void {
  const chain = Array.isArray(functions) ? [...functions] : []
  const runFrom = (index: number): void => {
    const middleware: unknown = chain[index]
    if (!isMethod(middleware)) {
      done()
      return
    }
    let isOver = false
    const next = (error?: unknown) => {
      isOver = true
      if (error) done(error)
      else runFrom(index + 1)
    }
    const fail = (error: unknown) => {
      if (!isOver) refuse(error)
      isOver = true
    }
    errors.run({ ...origin, fail }, () => middleware(subject, next))
  }
  runFrom(0)
}

function refusal(retryAfterMs: number): Error {
  return withData(
    new RookeryError('rate_limited', 'this client has caused too many errors', { retryAfterMs }),
  )
}

/** Clients get the message and the data of the error that refuses them. */
function withData(error: unknown): Error {
  const body = errorFor(error)
  return Object.assign(new Error(body.message), { data: body })
}
