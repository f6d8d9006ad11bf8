/** The page as a part of an application: its files at a path of choice. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { serveStatic } from '@hono/node-server/serve-static'
import type { Context, Hono, Next } from 'hono'
import { PAGE_HEADERS } from '../core/page-headers.ts'

const FILES = fileURLToPath(new URL('../web', import.meta.url))
const ROOT = '<div id="app">'

export interface MountedPage {
  /** Begins and ends with a slash. */
  path: string
  /** Of Socket.IO on this server. */
  socketPath: string
  namespace: string
}

/** @throws when the page was not built */
export function mountPage(http: Hono, { path, socketPath, namespace }: MountedPage): void {
  const html = readFileSync(join(FILES, 'index.html'), 'utf8')
  if (!html.includes(ROOT)) throw new Error('the page of the chat is not what this version has built')
  // Relative, since a proxy may serve everything below a path of its own.
  const socketIo = `${'../'.repeat(path.split('/').length - 2)}.${socketPath}`
  const index = html.replace(
    ROOT,
    `<div id="app" data-socket-io="${socketIo}" data-namespace="${namespace}">`,
  )
  const headers = async (c: Context, next: Next): Promise<void> => {
    await next()
    for (const [name, value] of PAGE_HEADERS) c.header(name, value)
    c.header(
      'Cache-Control',
      c.req.path.startsWith(`${path}assets/`) ? 'public, max-age=31536000, immutable' : 'no-cache',
    )
  }
  if (path !== '/')
    http.get(path.slice(0, -1), (c) => c.redirect(`.${path.slice(path.lastIndexOf('/', path.length - 2))}`))
  http.get(path, headers, (c) => c.html(index))
  http.get(
    `${path}:file{assets/.+|[^/]+\\.svg}`,
    headers,
    serveStatic({
      root: FILES,
      precompressed: true,
      rewriteRequestPath: (asked) => asked.slice(path.length - 1),
    }),
  )
}
