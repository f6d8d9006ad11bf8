/** Serves the built client to a browser, unbundled. */
import { readFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join, normalize } from 'node:path'

const ROOT = new URL('../../..', import.meta.url).pathname

/** The import map: the URLs of the client's bare imports. */
const IMPORTS = {
  'rookery/client': '/dist/client/index.js',
  'socket.io-client': '/node_modules/socket.io-client/dist/socket.io.esm.min.js',
  'idb-keyval': '/node_modules/idb-keyval/dist/index.js',
}

/** Serves `html` at `/` with an import map, and the package's files beside it. */
export async function servePage(html: string): Promise<{ url: string; server: Server }> {
  const map = `<script type="importmap">${JSON.stringify({ imports: IMPORTS })}</script>`
  const page = html.replace('<script', `${map}\n<script`)
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url ?? '/', 'http://page').pathname)
    if (path === '/') response.setHeader('content-type', 'text/html; charset=utf-8').end(page)
    else if (!/^\/(dist|node_modules)\/.*\.js$/.test(path)) response.writeHead(404).end()
    else {
      readFile(join(ROOT, path)).then(
        (file) => response.setHeader('content-type', 'text/javascript').end(file),
        () => response.writeHead(404).end(),
      )
    }
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, server }
}
