/**
 * The application's own HTTP handler, for requests that neither Socket.IO nor `context.http` serves: a
 * function of request and response (Express, Connect, Koa's callback), a function of a `Request` (Hono, any
 * fetch handler), or the application object of Fastify, Koa or Hono.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { member } from '../../core/member.ts'
import type { FetchHandler, HttpHandler, Mountable } from '../../wire/app.ts'

const KINDS =
  'context.mount() takes (request, response) => …, (request: Request) => Response, or an application of Express, Fastify, Koa or Hono'

const isFunction = (value: unknown): value is (...args: unknown[]) => unknown => typeof value === 'function'

/** @throws when `mounted` is nothing that serves requests */
export function httpHandler(mounted: Mountable): HttpHandler {
  if (isFunction(mounted)) return isFetchHandler(mounted) ? listener(mounted) : mounted
  const [fetch, routing, ready, callback] = ['fetch', 'routing', 'ready', 'callback'].map((name) =>
    member(mounted, name),
  )
  if (isFunction(routing) && isFunction(ready)) return afterReady(mounted, { routing, ready })
  if (isFunction(fetch)) return listener((request) => Reflect.apply(fetch, mounted, [request]) as Response)
  if (isFunction(callback)) return Reflect.apply(callback, mounted, []) as HttpHandler
  throw new Error(KINDS)
}

/** Express and Connect have properties of their own; their functions and plain ones take a response too. */
function isFetchHandler(handler: unknown): handler is FetchHandler {
  return isFunction(handler) && handler.length === 1 && !('handle' in handler)
}

function listener(fetch: FetchHandler): HttpHandler {
  return getRequestListener((request) => fetch(request), { overrideGlobalObjects: false })
}

/** Fastify loads its plugins first. */
function afterReady(
  owner: object,
  { routing, ready }: Record<'routing' | 'ready', (...args: unknown[]) => unknown>,
): HttpHandler {
  let isReady = false
  const loading = async () => {
    await Reflect.apply(ready, owner, [])
    isReady = true
  }
  const serve = (request: IncomingMessage, response: ServerResponse) =>
    Reflect.apply(routing, owner, [request, response])
  let loaded: Promise<void> | undefined
  return (request, response) => {
    if (isReady) return serve(request, response)
    loaded ??= loading()
    return loaded.then(() => serve(request, response))
  }
}
