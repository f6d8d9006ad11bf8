/**
 * Stands between HTTP and Engine.IO on the one side and the application's code on the other: routes, middlewares
 * of `io.engine`, `allowRequest`, and listeners of connections. What fails ends its request or its connection.
 */
import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Server, Socket } from 'socket.io'
import type { AppErrors, Origin } from './app-errors.ts'
import { asError } from './guard-listeners.ts'
import { isMethod } from './wrap-method.ts'

/** @param endResponse answers a request whose code has failed; the response may have begun, or be over */
export function guardHttp(
  httpServer: HttpServer,
  io: Server,
  { errors, endResponse }: { errors: AppErrors; endResponse: (response: ServerResponse) => void },
): void {
  const isOfEngine = ({ url = '' }: IncomingMessage) => url.startsWith(io.path())
  const emit = httpServer.emit.bind(httpServer) as (event: string, ...args: unknown[]) => boolean
  Reflect.set(httpServer, 'emit', (event: string, ...args: unknown[]) => {
    if (event !== 'request' && event !== 'upgrade') return emit(event, ...args)
    const [request, other] = args as [IncomingMessage, ServerResponse | Duplex]
    // What the code leaves behind may outlive the response, and must not keep it in memory.
    let open: ServerResponse | Duplex | undefined = other
    other.once('close', () => {
      open = undefined
    })
    const fail = () => {
      if (open === undefined) return
      if ('writeHead' in open) endResponse(open)
      else open.destroy()
    }
    return errors.run({ where: isOfEngine(request) ? 'engine' : 'http', request, fail }, () =>
      emit(event, ...args),
    )
  })
  guardEngineMiddleware(io.engine, errors)
  // All connections have one class, which Engine.IO does not export to here.
  io.engine.once('connection', (connection: Socket['conn']) =>
    guardConnections(Object.getPrototypeOf(connection), errors),
  )
}

type Engine = Server['engine']

/** One that fails refuses the request, as if it had called `next` with an error. */
function guardEngineMiddleware(engine: Engine, errors: AppErrors): void {
  const use = engine.use.bind(engine)
  const guarded: Engine['use'] = (middleware: unknown) => {
    if (!isMethod(middleware)) return use(middleware)
    return use((request: IncomingMessage, response: unknown, next: (error?: unknown) => void) => {
      const fail = (error: unknown) => next(asError(error))
      const origin: Origin = { where: 'engine', event: 'middleware', request, fail }
      errors.run(origin, () => middleware(request, response, next))
    })
  }
  Reflect.set(engine, 'use', guarded)
}

/** Their listeners are called in the middle of Engine.IO's own work. */
function guardConnections(connections: object, errors: AppErrors): void {
  const emit: unknown = Reflect.get(connections, 'emit')
  if (!isMethod(emit)) return
  Reflect.set(connections, 'emit', function (this: Socket['conn'], ...args: unknown[]) {
    try {
      return Reflect.apply(emit, this, args)
    } catch (error) {
      const fail = () => this.close()
      errors.caught(error, { where: 'engine', event: String(args[0]), request: this.request, fail })
      return true
    }
  })
}
