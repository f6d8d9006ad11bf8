/**
 * Pages in Debian's Chromium, each in its own browser context, like people with their own computers. Every
 * problem in a page is recorded and fails `closePages()`: console errors, exceptions, violations of the
 * content security policy, failed requests, and requests to other origins. A test that causes some calls
 * `expectProblems`.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
  type Request,
} from 'playwright-core'
import { expect } from 'vitest'

/** Debian's; installed by `npm test`. */
const CHROMIUM = '/usr/bin/chromium-headless-shell'
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--disable-dev-shm-usage',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]
/** A deadline for hanging steps; no test depends on its length. */
const TIMEOUT_MS = 60_000
const SCREENSHOTS = new URL('../../../test-output/screenshots/', import.meta.url).pathname

const REPORT_VIOLATIONS = `document.addEventListener('securitypolicyviolation', (event) => {
  reportToTest([event.violatedDirective, event.blockedURI, event.sample].join(' '))
})`

/** Messages of the browser about a network that a test cuts. */
export const LOST_NETWORK =
  /net::ERR_|WebSocket connection to .* failed|WebSocket is closed before|Failed to load resource/

export interface PageOptions extends BrowserContextOptions {
  url: string
  /** The context of an earlier page: with its name, key and unsent messages. */
  context?: BrowserContext
}

export class Chromium {
  readonly #browser: Browser
  readonly #pages = new Set<OpenPage>()

  private constructor(browser: Browser) {
    this.#browser = browser
  }

  static async start(): Promise<Chromium> {
    if (process.env.MAY_USE_CHROMIUM === undefined)
      throw new Error('a test with Chromium has to be in `inChromium` of test/vitest.config.ts')
    const options = { executablePath: CHROMIUM, args: FLAGS, timeout: TIMEOUT_MS }
    return new Chromium(await chromium.launch(options))
  }

  async openPage({ url, context, ...options }: PageOptions): Promise<OpenPage> {
    const own = context ?? (await this.newContext(options))
    const page = new OpenPage(await own.newPage(), new URL(url).origin)
    this.#pages.add(page)
    await page.watchPolicy()
    await page.page.goto(url)
    return page
  }

  /** A context for several pages of one person. */
  async newContext(options: BrowserContextOptions = {}): Promise<BrowserContext> {
    const context = await this.#browser.newContext({ viewport: { width: 1280, height: 800 }, ...options })
    context.setDefaultTimeout(TIMEOUT_MS)
    return context
  }

  /** Closes all pages; fails if there was a problem in one. */
  async closePages(): Promise<void> {
    const pages = [...this.#pages]
    this.#pages.clear()
    await Promise.all(pages.map((page) => page.page.context().close()))
    for (const page of pages) page.audit()
  }

  async stop(): Promise<void> {
    await this.#browser.close()
  }
}

const ICON = /\/assets\/icon-[^/]*$/

export class OpenPage {
  readonly page: Page
  readonly problems: string[] = []
  readonly #origin: string
  readonly #expected: RegExp[] = []

  constructor(page: Page, origin: string) {
    this.page = page
    this.#origin = origin
    page.on('console', (message) => {
      if (message.type() === 'error') this.#note(`console: ${message.text()}`)
    })
    page.on('pageerror', (error) => this.#note(`exception: ${error.stack ?? error.message}`))
    page.on('request', (request) => this.#checkTarget(request.url()))
    page.on('websocket', (socket) => this.#checkTarget(socket.url().replace(/^ws/, 'http')))
    page.on('requestfailed', (request) => this.#noteFailure(request))
    page.on('response', (response) => {
      if (response.status() >= 400) this.#note(`answer: ${response.status()} of ${response.url()}`)
    })
  }

  async watchPolicy(): Promise<void> {
    await this.page.exposeFunction('reportToTest', (violation: string) => this.#note(`policy: ${violation}`))
    await this.page.addInitScript(REPORT_VIOLATIONS)
  }

  /** Declares problems that the test causes. */
  expectProblems(pattern: RegExp): void {
    this.#expected.push(pattern)
  }

  audit(): void {
    const unexpected = this.problems.filter((problem) => !this.#expected.some((known) => known.test(problem)))
    expect(unexpected, 'what went wrong in the page').toEqual([])
  }

  /** Saved as `test-output/screenshots/<name>.png`. */
  async screenshot(name: string): Promise<void> {
    await mkdir(SCREENSHOTS, { recursive: true })
    await this.page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), animations: 'disabled' })
  }

  #checkTarget(url: string): void {
    if (/^(data|blob|about):/.test(url) || new URL(url).origin === this.#origin) return
    this.#note(`request to somebody else: ${url}`)
  }

  #noteFailure(request: Request): void {
    const error = request.failure()?.errorText ?? 'failed'
    // Chromium loads the icon last, and drops that when the test leaves the page.
    if (error === 'net::ERR_ABORTED' && ICON.test(request.url())) return
    this.#note(`request: ${error} ${request.url()}`)
  }

  #note(problem: string): void {
    this.problems.push(problem)
  }
}
