/** How the product serves the files of the page. */
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningRookery, startRookery } from '../harness/cluster/cluster.ts'
import { copyProduct } from '../harness/cluster/product-copy.ts'
import { exchange } from '../harness/network/raw-http.ts'

const ROOT = new URL('../../', import.meta.url).pathname
const BUILT = join(ROOT, 'dist/web/')
const START_MAX_GZIP_BYTES = 100_000
/** With the emoji and the table of letters that look alike, which are loaded when they are needed. */
const MAX_GZIP_BYTES = 150_000
const LOADED_LATER = /\/(?:emoji-list|unhomoglyph)-/

let rookery: RunningRookery
/** Every file of the build by URL path, without the compressed copies. */
const built = new Map<string, Buffer>()

beforeAll(async () => {
  rookery = await startRookery()
  for (const entry of await readdir(BUILT, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || /\.(br|gz)$/.test(entry.name)) continue
    const path = join(entry.parentPath, entry.name)
    built.set(`/${path.slice(BUILT.length)}`, await readFile(path))
  }
})
afterAll(async () => expect(await rookery.stop()).toBe(0))

interface Answer {
  status: number | undefined
  headers: Record<string, string | string[] | undefined>
  body: Buffer
}

/** The bytes on the wire: `fetch` would decompress them. */
function ask(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { port: rookery.port, host: '127.0.0.1', path, headers, method, agent: false }
    request(options, (answer) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk) => chunks.push(chunk)).on('error', reject)
      answer.on('end', () => {
        resolve({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(chunks) })
      })
    })
      .on('error', reject)
      .end()
  })
}

function script(): string {
  const [path] = [...built.keys()].filter((name) => /^\/assets\/index-.*\.js$/.test(name))
  if (path === undefined) throw new Error('the build made no script')
  return path
}

describe('the files of the page', () => {
  it('are all served, each with its type', async () => {
    const types = { html: 'text/html', js: 'text/javascript', css: 'text/css', svg: 'image/svg+xml' }
    for (const [path, content] of built) {
      const { status, headers, body } = await ask(path)
      expect([path, status]).toEqual([path, 200])
      expect(body.equals(content)).toBe(true)
      const end = path.slice(path.lastIndexOf('.') + 1)
      const type = Object.entries(types).find(([known]) => known === end)?.[1] ?? /^[a-z]+\/[a-z0-9.+-]+/
      expect(headers['content-type']).toMatch(type)
      expect(headers['content-length']).toBe(String(content.length))
    }
    expect((await ask('/')).body).toEqual(built.get('/index.html'))
    expect((await ask('/?from=elsewhere')).body).toEqual(built.get('/index.html'))
  })

  it.each([
    ['gzip, deflate, br, zstd', 'br'],
    ['gzip', 'gzip'],
    ['br;q=0, gzip;q=0.5', 'gzip'],
    ['*', 'br'],
    ['gzip;q=0, br;q=0', undefined],
    ['zebra, identity', undefined],
    ['', undefined],
  ])('are compressed as the browser accepts it: %j', async (accepted, coding) => {
    const { headers, body } = await ask(script(), { 'accept-encoding': accepted })
    expect(headers['content-encoding']).toBe(coding)
    expect(headers.vary).toBe('Accept-Encoding')
    const plain = coding === 'br' ? brotliDecompressSync(body) : coding === 'gzip' ? gunzipSync(body) : body
    expect(plain.equals(built.get(script()) ?? Buffer.of())).toBe(true)
    if (coding !== undefined) expect(body.length).toBeLessThan(plain.length / 2)
  })

  it('are cached permanently when the name has a hash, and revalidated otherwise', async () => {
    expect((await ask(script())).headers['cache-control']).toBe('public, max-age=31536000, immutable')
    for (const path of ['/', '/index.html']) {
      expect((await ask(path)).headers['cache-control']).toBe('no-cache')
    }
    for (const path of built.keys()) {
      if (path !== '/index.html') expect(path).toMatch(/^\/assets\/[\w.-]+-[\w-]{8}\.\w+$/)
    }
  })

  it('are not sent again to a browser that has them', async () => {
    const { headers } = await ask('/', { 'accept-encoding': 'br' })
    const etag = String(headers.etag)
    for (const tag of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const again = await ask('/', { 'accept-encoding': 'br', 'if-none-match': tag })
      expect(again).toMatchObject({ status: 304, body: Buffer.of() })
      expect(again.headers).toMatchObject({ etag, vary: 'Accept-Encoding', 'cache-control': 'no-cache' })
      expect(again.headers['content-security-policy']).toBe(headers['content-security-policy'])
    }
    const otherCoding = await ask('/', { 'if-none-match': etag })
    expect(otherCoding.status).toBe(200)
    expect(otherCoding.headers.etag).not.toBe(etag)
  })

  it('have the same names from every worker', async () => {
    const tags = new Set<unknown>()
    for (let count = 0; count < 20; count += 1) tags.add((await ask('/')).headers.etag)
    expect(tags.size).toBe(1)
  })

  it('answer HEAD without the body, and refuse other methods', async () => {
    const { body, ...get } = await ask(script(), { 'accept-encoding': 'gzip' })
    const head = await ask(script(), { 'accept-encoding': 'gzip' }, 'HEAD')
    expect(head.body).toHaveLength(0)
    expect(head).toMatchObject({
      status: 200,
      headers: { ...get.headers, date: head.headers.date, 'content-length': String(body.length) },
    })
    expect((await ask('/', {}, 'POST')).status).toBe(404)
  })
})

describe('nothing else', () => {
  it.each([
    '/../package.json',
    '/..%2f..%2fpackage.json',
    '/%2e%2e/main.js',
    '/assets/../../main.js',
    '/assets/..%5c..%5cmain.js',
    '//etc/passwd',
    '/.env',
    '/assets',
    '/assets/',
    '/assets/index-AAAAAAAA.js',
    '/index.html/',
    '/index',
    '/index.html.br',
    '/index.html%00',
    '/main.tsx',
    '/main.js',
    '/%',
  ])('is served at %s', async (path) => {
    const { status, headers, body } = await exchange(
      rookery.port,
      `GET ${path} HTTP/1.1\r\nHost: rookery\r\nConnection: close\r\n\r\n`,
    )
    expect([400, 404]).toContain(status)
    expect(body).toMatch(/^\{"ok":false,"error":\{"code":"(not_found|bad_request)"/)
    expect(headers.get('cache-control')).toBeUndefined()
  })

  it('is explained in words to a person', async () => {
    const { status, headers, body } = await ask('/nowhere', { accept: 'text/html,*/*;q=0.8' })
    expect(status).toBe(404)
    expect(headers['content-type']).toContain('text/html')
    expect(body.toString()).toContain('<a href="./">')
    const deep = await ask('/a/b/nowhere?from=/', { accept: 'text/html' })
    expect(deep.body.toString()).toContain('<a href="../../">')
    expect(headers['content-security-policy']).toContain("default-src 'none'")
  })

  it('is built: no source map, and no compressed file without its original', async () => {
    const names = await readdir(BUILT, { recursive: true })
    expect(names.filter((name) => /\.(map|tsx?)$/.test(name))).toEqual([])
    for (const name of names.filter((each) => /\.(br|gz)$/.test(each))) {
      expect(built.has(`/${name.replace(/\.\w+$/, '')}`)).toBe(true)
    }
    for (const [path, content] of built)
      expect([path, content.includes('sourceMappingURL')]).toEqual([path, false])
  })
})

describe('the page', () => {
  it('forbids what it does not use', async () => {
    const { headers } = await ask('/')
    const policy = String(headers['content-security-policy'])
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self';")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).toContain("require-trusted-types-for 'script'; trusted-types 'none'")
    expect(policy).not.toMatch(/unsafe|\*|https?:|blob:/)
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'permissions-policy': expect.stringContaining('camera=()'),
    })
    expect(headers['x-powered-by']).toBeUndefined()
  })

  it('has nothing inline', () => {
    const html = String(built.get('/index.html'))
    expect(html).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=|javascript:/i)
    expect(html).toMatch(/<script [^>]*src="\.\/assets\//)
  })

  it('loads nothing from other origins', () => {
    const foreign = [...built].flatMap(([path, content]) =>
      [...String(content).matchAll(/\b(?:https?|wss?):\/\/[\w.:-]+/gi)].map(
        ([origin]) => `${path}: ${origin}`,
      ),
    )
    // Names of XML namespaces are not requests; only people follow links.
    const known = /: (http:\/\/www\.w3\.org|https:\/\/socket\.io)$/
    expect(foreign.filter((found) => !known.test(found))).toEqual([])
  })

  it(`has less than ${START_MAX_GZIP_BYTES} bytes gzipped, ${MAX_GZIP_BYTES} with everything that it may load later`, () => {
    const sizes = [...built].map(([path, content]) => [path, gzipSync(content).length] as const)
    const total = (some: typeof sizes) => some.reduce((sum, [, size]) => sum + size, 0)
    const later = sizes.filter(([path]) => LOADED_LATER.test(path))
    expect(later).toHaveLength(2)
    expect(total(sizes) - total(later), JSON.stringify(sizes)).toBeLessThan(START_MAX_GZIP_BYTES)
    expect(total(sizes), JSON.stringify(sizes)).toBeLessThan(MAX_GZIP_BYTES)
  })
})

it('is not served where another application runs', async () => {
  const app = new URL('../fixtures/apps/echo.js', import.meta.url).pathname
  const other = await startRookery({ args: ['--app', app], env: { WORKERS: '1' } })
  try {
    const answer = await fetch(other.url)
    expect(answer.status).toBe(404)
    expect(answer.headers.has('content-security-policy')).toBe(false)
  } finally {
    expect(await other.stop()).toBe(0)
  }
})

it('is served completely by workers while it is rebuilt or removed', async () => {
  const copy = await copyProduct()
  const other = await startRookery({ main: copy.main, env: { WORKERS: '1' } })
  try {
    await writeFile(join(copy.page, 'index.html'), '<!doctype html><title>Another version</title>')
    await rm(join(copy.page, 'assets'), { recursive: true })
    const index = await fetch(other.url)
    expect(await index.text()).toBe(String(built.get('/index.html')))
    expect((await fetch(`${other.url}${script()}`)).status).toBe(200)
    expect(other.countLogs('worker died')).toBe(0)
  } finally {
    expect(await other.stop()).toBe(0)
    await copy.remove()
  }
})
