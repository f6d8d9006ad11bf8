/** A page in Debian's Chromium, spoken to by the DevTools protocol, and a server that serves the built client to it as it is. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, normalize } from 'node:path'
import { createInterface } from 'node:readline'
import { WebSocket } from 'ws'

const ROOT = new URL('../..', import.meta.url).pathname

/** Debian's; `npm test` sees to it. */
const CHROMIUM = '/usr/bin/chromium'

/** What a bundler would do: where the names that the client imports are found. */
const IMPORTS = {
  'rookery/client': '/dist/client/index.js',
  'socket.io-client': '/node_modules/socket.io-client/dist/socket.io.esm.min.js',
  'idb-keyval': '/node_modules/idb-keyval/dist/index.js',
}

/** Serves `html` at `/`, with an import map, and the package's own files beside it. */
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

export class Browser {
  readonly #process: ChildProcess
  readonly #profile: string
  readonly #socket: WebSocket
  readonly #answers = new Map<number, (answer: { result?: unknown; error?: { message: string } }) => void>()
  readonly #heard = new Set<(method: string) => void>()
  #asked = 0

  private constructor(process: ChildProcess, profile: string, socket: WebSocket) {
    this.#process = process
    this.#profile = profile
    this.#socket = socket
    socket.on('message', (data: Buffer) => {
      const { id, method, ...answer } = JSON.parse(data.toString())
      if (id !== undefined) this.#answers.get(id)?.(answer)
      else for (const listener of this.#heard) listener(method)
    })
  }

  static async open(): Promise<Browser> {
    const profile = await mkdtemp(join(tmpdir(), 'rookery-browser-'))
    const flags = [
      '--headless=new',
      '--no-sandbox',
      '--disable-gpu',
      '--no-first-run',
      '--disable-dev-shm-usage',
    ]
    const own = [`--user-data-dir=${profile}`, '--remote-debugging-port=0']
    const chromium = spawn(CHROMIUM, [...flags, ...own, 'about:blank'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const port = await debuggingPort(chromium)
    const targets = (await (await fetch(`http://127.0.0.1:${port}/json/list`)).json()) as Record<
      string,
      string
    >[]
    const address = targets.find(({ type }) => type === 'page')?.webSocketDebuggerUrl
    const socket = new WebSocket(address ?? '')
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
    const browser = new Browser(chromium, profile, socket)
    await browser.#ask('Page.enable', {})
    return browser
  }

  async goTo(url: string): Promise<void> {
    await this.#loading(() => this.#ask('Page.navigate', { url }))
  }

  async reload(): Promise<void> {
    await this.#loading(() => this.#ask('Page.reload', {}))
  }

  /** What the expression comes to, promises waited for. */
  async evaluate(expression: string): Promise<unknown> {
    const options = { expression, awaitPromise: true, returnByValue: true }
    const { result, exceptionDetails } = (await this.#ask('Runtime.evaluate', options)) as {
      result: { value?: unknown }
      exceptionDetails?: unknown
    }
    if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails))
    return result.value
  }

  async close(): Promise<void> {
    const gone = new Promise((resolve) => this.#process.once('exit', resolve))
    await this.#ask('Browser.close', {})
    await gone
    this.#socket.terminate()
    await rm(this.#profile, { recursive: true, force: true, maxRetries: 5 })
  }

  async #loading(start: () => Promise<unknown>): Promise<void> {
    const loaded = new Promise<void>((resolve) => {
      const listener = (method: string) => {
        if (method !== 'Page.loadEventFired') return
        this.#heard.delete(listener)
        resolve()
      }
      this.#heard.add(listener)
    })
    await start()
    await loaded
  }

  async #ask(method: string, params: object): Promise<unknown> {
    this.#asked += 1
    const id = this.#asked
    const answered = new Promise<{ result?: unknown; error?: { message: string } }>((resolve) => {
      this.#answers.set(id, resolve)
    })
    this.#socket.send(JSON.stringify({ id, method, params }))
    const { result, error } = await answered
    this.#answers.delete(id)
    if (error !== undefined) throw new Error(`${method}: ${error.message}`)
    return result
  }
}

async function debuggingPort({ stderr }: ChildProcess): Promise<string> {
  if (stderr === null) throw new Error('the browser has no output')
  for await (const line of createInterface({ input: stderr })) {
    const [, port] = /^DevTools listening on ws:\/\/[^:]+:(\d+)\//.exec(line) ?? []
    if (port === undefined) continue
    // What it says later is of no use, and must not fill the pipe.
    stderr.resume()
    return port
  }
  throw new Error('the browser ended before it listened')
}
