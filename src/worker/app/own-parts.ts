/**
 * Keeps an application from replacing what joins the workers: such a call would cut it off from the others, or
 * break long polling, without an error. Here it throws one that says what to do instead.
 */
import type { Server as HttpServer } from 'node:http'
import type { Server } from 'socket.io'
import { OWN } from './server-options.ts'

const LISTENS = 'the primary listens (PORT, HOST) and passes connections on; remove the call'

/** Call before the application gets `io`. */
export function keepOwnParts(io: Server, httpServer: HttpServer): void {
  refuseArguments(io, 'adapter', `io.adapter() is Rookery's: ${OWN.adapter}`)
  for (const name of ['attach', 'listen', 'attachApp', 'bind'] as const)
    refuse(io, name, `io.${name}() is not needed: ${LISTENS}`)
  refuse(httpServer, 'listen', `httpServer.listen() is not needed: ${LISTENS}`)
  const generateId: unknown = Reflect.get(io.engine, 'generateId')
  Object.defineProperty(io.engine, 'generateId', {
    get: () => generateId,
    set: () => {
      throw new Error(`io.engine.generateId is Rookery's: ${OWN.generateId}`)
    },
  })
}

function refuse(owner: object, name: string, message: string): void {
  Object.defineProperty(owner, name, {
    value: () => {
      throw new Error(message)
    },
  })
}

/** Without arguments it only reads. */
function refuseArguments(owner: object, name: string, message: string): void {
  const original: unknown = Reflect.get(owner, name)
  if (typeof original !== 'function') return
  Object.defineProperty(owner, name, {
    value: (...args: unknown[]): unknown => {
      if (args.length > 0) throw new Error(message)
      return Reflect.apply(original, owner, [])
    },
  })
}
