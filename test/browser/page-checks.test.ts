/** The checks at the end of every other browser test find problems. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { seriousViolations } from '../harness/page/axe.ts'
import { Chromium, type OpenPage } from '../harness/page/page.ts'
import { until } from '../harness/until.ts'

const BAD_PAGE = `<!doctype html><html lang="en"><title>Bad</title><body>
<button></button><p style="color: #eee">grey on white</p>
<script src="./bad.js"></script><img src="http://127.0.0.2:9/picture.png" alt="">`
const BAD_SCRIPT = `console.error('an error'); fetch('./missing'); setTimeout(() => { throw new Error('thrown') })
try { document.body.innerHTML = '<i>' } catch {}`
const POLICY =
  "default-src 'self'; img-src *; style-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'"

let server: Server
let browser: Chromium
let page: OpenPage

beforeAll(async () => {
  server = createServer((request, response) => {
    response.setHeader('Content-Security-Policy', POLICY)
    if (request.url === '/') response.setHeader('Content-Type', 'text/html').end(BAD_PAGE)
    else if (request.url === '/bad.js') response.setHeader('Content-Type', 'text/javascript').end(BAD_SCRIPT)
    else response.writeHead(404).end()
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  browser = await Chromium.start()
  page = await browser.openPage({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` })
})
afterAll(async () => {
  await browser.stop()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

it.each([
  /^console: an error$/,
  /^exception: Error: thrown/,
  /^policy: style-src-attr inline/,
  /^policy: require-trusted-types-for trusted-types-sink .*innerHTML/,
  /^answer: 404 of .*missing$/,
  /^request to somebody else: http:\/\/127\.0\.0\.2:9\//,
  /^request: net::\S+ http:\/\/127\.0\.0\.2:9\//,
])('a page has %s: the problem is found', async (pattern) => {
  await until(
    () => page.problems.some((problem) => pattern.test(problem)),
    `it has ${pattern}`,
    () => page.problems.join('\n'),
  )
  expect(() => page.audit()).toThrow('what went wrong in the page')
})

it('a page that is hard to use is found by axe-core', async () => {
  const found = await seriousViolations(page.page)
  expect(found.join('\n')).toMatch(/^button-name /m)
})

it('a page passes when all problems were expected', () => {
  page.expectProblems(/./)
  page.audit()
})
