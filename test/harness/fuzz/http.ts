/** HTTP requests as bytes: well-formed ones with arbitrary content, and malformed ones. */
import { once } from 'node:events'
import * as fc from 'fast-check'
import { openRaw, readToEnd } from '../network/raw-http.ts'
import { anyJson, spoiled } from './values.ts'

export const API_KEY = 'the-key-of-the-fuzz'

export interface FuzzedRequest {
  method: string
  target: string
  headers: [name: string, value: string][]
  body: string
}

const segment = fc.oneof(
  fc.constantFrom(
    'fuzz-a',
    '__proto__',
    '..',
    '.',
    '%2e%2e',
    '%00',
    '%',
    '%ff',
    '%E0%A4',
    '',
    'a'.repeat(65),
    'dm:a:b',
  ),
  fc.string({ maxLength: 20 }).map(encodeURIComponent),
  fc.stringMatching(/^[!-~]{1,20}$/),
)

const number = fc.oneof(
  fc.integer().map(String),
  fc.constantFrom(
    '',
    '0',
    '-1',
    '1.5',
    '1e3',
    'NaN',
    '9007199254740993',
    '99999999999999999999',
    '0x1',
    'a',
    '%00',
  ),
)
const parameter = fc.oneof(
  fc.tuple(fc.constantFrom('after', 'before', 'limit'), number).map((pair) => pair.join('=')),
  fc.stringMatching(/^[!"$-~]{0,20}$/),
)
const query = fc
  .array(parameter, { maxLength: 4 })
  .map((all) => (all.length === 0 ? '' : `?${all.join('&')}`))

const apiPath = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(segment, fc.constantFrom('messages', 'members'))
      .map(([room, what]) => `/api/rooms/${room}/${what}`),
  },
  { weight: 3, arbitrary: fc.constantFrom('/api/rooms/fuzz-a/messages', '/api/rooms/fuzz-a/members') },
  {
    weight: 1,
    arbitrary: fc.array(segment, { maxLength: 4 }).map((segments) => `/api/${segments.join('/')}`),
  },
)
const otherPath = fc.oneof(
  fc.constantFrom(
    '/',
    '/healthz',
    '/readyz',
    '/page.css',
    '/index.html',
    '/socket.io/',
    '/socket.io',
    '*',
    '//',
    '/api',
  ),
  fc.array(segment, { maxLength: 4 }).map((segments) => `/${segments.join('/')}`),
  fc
    .tuple(
      fc.constantFrom('0', '3', '4', '5', '__proto__', ''),
      fc.constantFrom('polling', 'websocket', 'webtransport', 'constructor', ''),
      segment,
    )
    .map(([version, transport, sid]) => `/socket.io/?EIO=${version}&transport=${transport}&sid=${sid}`),
)

const headerValue = fc.oneof(
  fc.stringMatching(/^[ -~]{0,60}$/),
  fc.constantFrom('*/*', 'bytes=0-', 'bytes=9-1', 'gzip, br', 'x'.repeat(3_000)),
)
const header: fc.Arbitrary<[string, string]> = fc.tuple(
  fc.oneof(
    fc.constantFrom(
      'Accept',
      'Accept-Encoding',
      'Range',
      'If-None-Match',
      'Cookie',
      'Origin',
      'Content-Type',
      'X-Forwarded-For',
      'Authorization',
    ),
    fc.stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,20}$/).filter((name) => !framing.has(name.toLowerCase())),
  ),
  headerValue,
)
/** Headers that frame the message or switch the connection are left out: `anyHead` gets them wrong. */
const framing = new Set([
  'content-length',
  'transfer-encoding',
  'connection',
  'upgrade',
  'host',
  'expect',
  'te',
  'trailer',
])

const method = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('GET', 'POST') },
  {
    weight: 1,
    arbitrary: fc.constantFrom('HEAD', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND', 'QUERY'),
  },
)

const publication = fc.record({
  id: fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/),
  text: fc.string({ unit: 'grapheme', minLength: 1 }),
  from: fc.record({
    id: fc.stringMatching(/^[a-z]{1,20}$/),
    name: fc.string({ minLength: 1, maxLength: 64 }),
  }),
})
const json = fc.oneof(publication, spoiled(publication), anyJson).map((value) => JSON.stringify(value) ?? '')
const body = fc.oneof(
  { weight: 4, arbitrary: json },
  {
    weight: 2,
    arbitrary: fc
      .tuple(json, fc.nat(40))
      .map(([text, chars]) => text.slice(0, Math.max(0, text.length - chars))),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 60 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('', '[', '{"', '\ufeff{}', 'null', '['.repeat(20_000), 'x'.repeat(100_000)),
  },
)

const contentType = fc.constantFrom(
  'application/json',
  'application/json; charset=x',
  'text/plain',
  'multipart/form-data',
  'application/json2',
  ';',
  '',
)
const authorization = fc.oneof(
  { weight: 8, arbitrary: fc.constant(`Bearer ${API_KEY}`) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '',
      'Bearer',
      `bearer  ${API_KEY}`,
      `Basic ${API_KEY}`,
      'Bearer \t',
      `Bearer ${API_KEY}x`,
    ),
  },
  { weight: 1, arbitrary: headerValue },
)

const call = (target: fc.Arbitrary<string>): fc.Arbitrary<FuzzedRequest> =>
  fc
    .record({ method, target, headers: fc.array(header, { maxLength: 4 }), body, contentType, authorization })
    .map(({ contentType: type, authorization: key, headers, ...rest }) => ({
      ...rest,
      headers: [...headers, ['Content-Type', type], ['Authorization', key]],
    }))

export const anyApiCall = call(fc.tuple(apiPath, query).map((parts) => parts.join('')))
export const anyOtherRequest = call(
  fc.oneof(
    otherPath,
    fc.tuple(otherPath, query).map((parts) => parts.join('')),
  ),
)

function bytesOf({ method: verb, target, headers, body: content }: FuzzedRequest): Buffer {
  const bytes = Buffer.from(content)
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`)
  const head = `${verb} ${target} HTTP/1.1\r\nHost: fuzz\r\nConnection: close\r\nContent-Length: ${bytes.length}\r\n`
  return Buffer.concat([Buffer.from(`${head}${lines.join('')}\r\n`, 'latin1'), bytes])
}

const heads = [
  'GET / HTTP/1.1\r\nHost: fuzz\r\nConnection: close\r\n\r\n',
  'GET /healthz HTTP/1.0\r\n\r\n',
  'GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: fuzz\r\nConnection: close\r\n\r\n',
  'GET /socket.io/?EIO=4&transport=websocket&sid=abcdef1-AAAAAAAAAAAAAAAAAAAAAAAA HTTP/1.1\r\nHost: fuzz\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  'POST /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: fuzz\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n2\r\n0\r\n\r\n',
  `POST /api/rooms/fuzz-a/messages HTTP/1.1\r\nHost: fuzz\r\nAuthorization: Bearer ${API_KEY}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}`,
]

const oddLine = fc.constantFrom(
  'Content-Length: -1',
  'Content-Length: 5\r\nContent-Length: 6',
  'Content-Length: 99999999999999999999',
  'Transfer-Encoding: chunked\r\nContent-Length: 3',
  'Transfer-Encoding: gzip, chunked',
  'Expect: 100-continue',
  'Expect: something',
  'Upgrade: h2c\r\nConnection: Upgrade',
  'Connection: keep-alive, close',
  'Host: a\r\nHost: b',
  'Host: a b/?#@',
  ' folded',
  'No colon',
  ': no name',
  `Long: ${'x'.repeat(20_000)}`,
  'A: b\r\n'.repeat(300),
)

const head = fc.constantFrom(...heads)
const withOddLine = fc.tuple(head, oddLine).map(([text, line]) => {
  const end = text.indexOf('\r\n') + 2
  return Buffer.from(`${text.slice(0, end)}${line}\r\n${text.slice(end)}`, 'latin1')
})
const withBytes = fc
  .tuple(head, fc.nat(), fc.nat(3), fc.uint8Array({ maxLength: 6 }))
  .map(([text, at, gone, bytes]) => {
    const from = at % text.length
    return Buffer.concat([
      Buffer.from(text.slice(0, from), 'latin1'),
      bytes,
      Buffer.from(text.slice(from + gone), 'latin1'),
    ])
  })

export interface FuzzedHead {
  bytes: Buffer
  /** Where it is split in two, as a fraction of its length. */
  cut: number
}

/** Arbitrary bytes, invalid heads, and heads that end too early. */
export const anyHead: fc.Arbitrary<FuzzedHead> = fc.record({
  bytes: fc.oneof(
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes)) },
    { weight: 2, arbitrary: withOddLine },
    { weight: 3, arbitrary: withBytes },
    {
      weight: 2,
      arbitrary: fc.tuple(head, fc.nat()).map(([text, at]) => Buffer.from(text.slice(0, at % text.length))),
    },
  ),
  cut: fc.double({ min: 0, max: 1, noNaN: true }),
})

export interface Answer {
  status: number
  headers: Map<string, string>
  body: string
}

const STATUS_LINE = /^HTTP\/1\.1 ([0-9]{3}) [^\r\n]*\r\n((?:[^\r\n:]+:[^\r\n]*\r\n)*)\r\n/

/**
 * Parses the first final answer.
 * @returns undefined when there are no bytes; throws for a malformed answer or one whose body has another length than it declares
 */
function answerIn(received: string, verb: string): Answer | undefined {
  if (received === '') return undefined
  const match = STATUS_LINE.exec(received)
  if (match === null) throw new Error(`no answer: ${JSON.stringify(received.slice(0, 200))}`)
  const rest = received.slice(match[0].length)
  const status = Number(match[1])
  if (status === 100) return answerIn(rest, verb)
  const headers = new Map<string, string>()
  for (const line of (match[2] ?? '').split('\r\n').filter(Boolean)) {
    const colon = line.indexOf(':')
    headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim())
  }
  const empty = verb === 'HEAD' || status === 101 || status === 204 || status === 304
  return { status, headers, body: empty ? '' : bodyIn(rest, headers) }
}

function bodyIn(rest: string, headers: Map<string, string>): string {
  if (headers.get('transfer-encoding') === 'chunked') return unchunked(rest)
  const length = headers.get('content-length')
  if (length === undefined) return rest
  if (rest.length < Number(length)) throw new Error(`a body of ${rest.length} bytes instead of ${length}`)
  return rest.slice(0, Number(length))
}

function unchunked(rest: string): string {
  const size = Number.parseInt(rest, 16)
  if (Number.isNaN(size)) throw new Error(`no chunk: ${JSON.stringify(rest.slice(0, 50))}`)
  if (size === 0) return ''
  const from = rest.indexOf('\r\n') + 2
  return rest.slice(from, from + size) + unchunked(rest.slice(from + size + 2))
}

/** Sends the request and waits for its answer. */
export async function answerTo(port: number, request: FuzzedRequest): Promise<Answer> {
  const socket = await openRaw(port)
  const received = readToEnd(socket)
  socket.write(bytesOf(request))
  const answer = answerIn(await received, request.method)
  if (answer === undefined) throw new Error('closed without an answer')
  return answer
}

/** Sends the head in two pieces and then ends the connection; undefined when there is no answer. */
export async function answerToHead(port: number, { bytes, cut }: FuzzedHead): Promise<Answer | undefined> {
  const at = Math.floor(bytes.length * cut)
  const socket = await openRaw(port)
  const received = readToEnd(socket)
  for (const piece of [bytes.subarray(0, at), bytes.subarray(at)]) {
    if (socket.destroyed || piece.length === 0) continue
    await Promise.race([new Promise((resolve) => socket.write(piece, resolve)), once(socket, 'close')])
    await new Promise(setImmediate)
  }
  socket.end()
  return answerIn(await received, 'GET')
}
