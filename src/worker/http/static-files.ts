/**
 * The files of the page, served from memory. They are read once, when the worker starts: a build or an
 * upgrade in place changes and removes files while workers run, and reading them for each request could break
 * off a response or miss a file. Nothing is compressed here: the build wrote the `.br` and `.gz` files beside
 * the originals. Assets of other versions: `asset-store.ts`.
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join, relative, sep } from 'node:path'
import { parseAccept } from 'hono/utils/accept'
import { getMimeType } from 'hono/utils/mime'

/** Preferred first, each with its file name suffix. */
export const ENCODINGS = [
  ['br', '.br'],
  ['gzip', '.gz'],
] as const
/** The bundler puts a hash of the content into these file names. */
export const ASSETS = '/assets/'
const YEAR_S = 31_536_000

interface Representation {
  encoding: string
  body: Buffer
  etag: string
  /** Headers that a response without a body has too. */
  caching: Readonly<Record<string, string>>
  content: Readonly<Record<string, string | number>>
}

export interface StaticFile {
  /** Best first. */
  encoded: readonly Representation[]
  plain: Representation
}

/** @param contents by URL path, compressed copies included */
export function staticFiles(contents: ReadonlyMap<string, Buffer>): ReadonlyMap<string, StaticFile> {
  const files = new Map<string, StaticFile>()
  for (const path of contents.keys()) {
    if (ENCODINGS.some(([, suffix]) => path.endsWith(suffix))) continue
    const file = staticFile(path, contents)
    if (file !== undefined) files.set(path, file)
  }
  const index = files.get('/index.html')
  return index === undefined ? files : files.set('/', index)
}

export function staticFile(path: string, contents: ReadonlyMap<string, Buffer>): StaticFile | undefined {
  const body = contents.get(path)
  if (body === undefined) return undefined
  const encoded = ENCODINGS.flatMap(([encoding, suffix]) => {
    const compressed = contents.get(path + suffix)
    return compressed === undefined ? [] : [representation(path, encoding, compressed)]
  })
  return { encoded, plain: representation(path, 'identity', body) }
}

/** @returns contents by URL path. Throws when the directory can't be read. */
export function readFiles(directory: string): Map<string, Buffer> {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true })
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  return new Map(
    paths.map((path) => [`/${relative(directory, path).split(sep).join('/')}`, readFileSync(path)]),
  )
}

function representation(path: string, encoding: string, body: Buffer): Representation {
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`
  const caching = {
    'Cache-Control': path.startsWith(ASSETS) ? `public, max-age=${YEAR_S}, immutable` : 'no-cache',
    ETag: etag,
    Vary: 'Accept-Encoding',
  }
  const content = {
    'Content-Type': getMimeType(path) ?? 'application/octet-stream',
    'Content-Length': body.length,
    ...(encoding === 'identity' ? {} : { 'Content-Encoding': encoding }),
  }
  return { encoding, body, etag, caching, content }
}

/** For GET and HEAD. Ignores range requests: the files are small. */
export function serveStaticFile(file: StaticFile, request: IncomingMessage, response: ServerResponse): void {
  const accepted = acceptedEncodings(request.headers['accept-encoding'])
  const { body, etag, caching, content } =
    file.encoded.find(({ encoding }) => accepted(encoding)) ?? file.plain
  if (matches(request.headers['if-none-match'], etag)) {
    response.writeHead(304, caching).end()
    return
  }
  response.writeHead(200, { ...caching, ...content }).end(request.method === 'HEAD' ? undefined : body)
}

function acceptedEncodings(header: string | undefined): (encoding: string) => boolean {
  const weights = new Map(parseAccept(header ?? '').map(({ type, q }) => [type.toLowerCase(), q]))
  return (encoding) => (weights.get(encoding) ?? weights.get('*') ?? 0) > 0
}

/** Compares weakly: proxies that compress make an entity tag weak. */
function matches(ifNoneMatch: string | undefined, etag: string): boolean {
  const tags = (ifNoneMatch ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''))
  return tags.includes(etag) || tags.includes('*')
}
