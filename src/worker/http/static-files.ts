/**
 * The files of the page, answered from memory. They are read once, when the worker starts: a build or an upgrade in
 * place changes and removes files under workers that still run, and one that read them at each request would break off
 * an answer, or end at a file that is gone. Compresses nothing: what lies beside a file as `.br` and `.gz` was
 * compressed by the build.
 *
 * While two versions of the page are served at once (hosts or workers that are replaced one after the other), a browser
 * that gets `index.html` from the one may ask the other for its files, and is told 404. It starts with the next reload:
 * `index.html` is asked for anew each time, and an answer other than 200 is kept by nobody.
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join, relative, sep } from 'node:path'
import { parseAccept } from 'hono/utils/accept'
import { getMimeType } from 'hono/utils/mime'

/** Most wanted first; each with the end of the names of the files that have it. */
const CODINGS = [
  ['br', '.br'],
  ['gzip', '.gz'],
] as const
/** The bundler puts a hash of the content into the names of these. */
const HASHED = '/assets/'
const A_YEAR_S = 31_536_000

interface Representation {
  coding: string
  body: Buffer
  etag: string
  /** What also an answer without the body says. */
  caching: Readonly<Record<string, string>>
  content: Readonly<Record<string, string | number>>
}

export interface PageFile {
  /** Best first. */
  coded: readonly Representation[]
  plain: Representation
}

/** By path of the URL. @throws when the directory cannot be read */
export function readPageFiles(directory: string): ReadonlyMap<string, PageFile> {
  const contents = readFiles(directory)
  const files = new Map<string, PageFile>()
  for (const [path, body] of contents) {
    if (CODINGS.some(([, end]) => path.endsWith(end))) continue
    const coded = CODINGS.flatMap(([coding, end]) => {
      const compressed = contents.get(path + end)
      return compressed === undefined ? [] : [representation(path, coding, compressed)]
    })
    files.set(path, { coded, plain: representation(path, 'identity', body) })
  }
  const index = files.get('/index.html')
  return index === undefined ? files : files.set('/', index)
}

function readFiles(directory: string): Map<string, Buffer> {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true })
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  return new Map(
    paths.map((path) => [`/${relative(directory, path).split(sep).join('/')}`, readFileSync(path)]),
  )
}

function representation(path: string, coding: string, body: Buffer): Representation {
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`
  const caching = {
    'Cache-Control': path.startsWith(HASHED) ? `public, max-age=${A_YEAR_S}, immutable` : 'no-cache',
    ETag: etag,
    Vary: 'Accept-Encoding',
  }
  const content = {
    'Content-Type': getMimeType(path) ?? 'application/octet-stream',
    'Content-Length': body.length,
    ...(coding === 'identity' ? {} : { 'Content-Encoding': coding }),
  }
  return { coding, body, etag, caching, content }
}

/** Answers GET and HEAD. Of files so small no ranges are served: who asks for one gets the whole. */
export function answerPageFile(file: PageFile, request: IncomingMessage, response: ServerResponse): void {
  const accepted = acceptedCodings(request.headers['accept-encoding'])
  const { body, etag, caching, content } = file.coded.find(({ coding }) => accepted(coding)) ?? file.plain
  if (names(request.headers['if-none-match'], etag)) {
    response.writeHead(304, caching).end()
    return
  }
  response.writeHead(200, { ...caching, ...content }).end(request.method === 'HEAD' ? undefined : body)
}

function acceptedCodings(header: string | undefined): (coding: string) => boolean {
  const weights = new Map(parseAccept(header ?? '').map(({ type, q }) => [type.toLowerCase(), q]))
  return (coding) => (weights.get(coding) ?? weights.get('*') ?? 0) > 0
}

/** Proxies that compress make an entity tag weak. */
function names(ifNoneMatch: string | undefined, etag: string): boolean {
  const tags = (ifNoneMatch ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''))
  return tags.includes(etag) || tags.includes('*')
}
