/** Engine.IO and Socket.IO packets that no stock client sends, and a bare WebSocket that sends them. */
import * as fc from 'fast-check'
import { WebSocket } from 'ws'
import { anyBytes, anyJson, reservedEvents } from './values.ts'

const json = anyJson.map((value) => JSON.stringify(value) ?? 'null')
const ackId = fc.constantFrom('', '0', '7', '-1', '9007199254740993', '99999999999999999999999', '1e3', '0x1')
const namespace = fc.constantFrom(
  '',
  '/,',
  '/admin,',
  '/__proto__,',
  '/constructor,',
  '/a?b=c,',
  `/${'n'.repeat(500)},`,
)
const attachments = fc.constantFrom('', '1-', '2-', '0-', '-', '-1-', '1.5-', '10-', '99999999999-', 'x-')
const eventName = fc.constantFrom(
  'rooms',
  'message:send',
  'error',
  ...reservedEvents,
  '__proto__',
  'constructor',
  '',
)
const placeholder = fc.constantFrom(
  '{"_placeholder":true,"num":0}',
  '{"_placeholder":true,"num":1}',
  '{"_placeholder":true,"num":-1}',
  '{"_placeholder":true,"num":1e9}',
  '{"_placeholder":true,"num":"__proto__"}',
  '{"_placeholder":true}',
)

const nesting = fc.integer({ min: 1, max: 30_000 }).map((depth) => '['.repeat(depth))
const deep = fc.oneof(
  nesting,
  nesting.map((open) => `${open}${']'.repeat(open.length)}`),
  // Equally deep, with a placeholder that makes the parser search the nesting.
  nesting.map((open) => `${open}{"_placeholder":true,"num":0}${']'.repeat(open.length)}`),
)

const payload = fc.oneof(
  json,
  placeholder,
  deep,
  fc.tuple(eventName, fc.oneof(json, placeholder, deep)).map(([name, data]) => `["${name}",${data}]`),
  fc.constantFrom(
    '[]',
    '[null]',
    '[1]',
    '[1.5,{}]',
    '[{}]',
    '[[]]',
    '["rooms"',
    '["rooms",{}',
    '{"sid":"x"}',
    '',
  ),
)

/** Engine.IO's `4`, then type, attachments, namespace, ack id, data. */
const socketPacket = fc
  .tuple(
    fc.constantFrom('0', '1', '2', '3', '4', '5', '6', '7', '9', 'x'),
    attachments,
    namespace,
    ackId,
    payload,
  )
  .map((parts) => `4${parts.join('')}`)

const enginePacket = fc.oneof(
  fc.constantFrom(
    '0',
    '0{"sid":"x"}',
    '1',
    '2',
    '2probe',
    '3',
    '3probe',
    '5',
    '6',
    '7',
    '8',
    '',
    '4',
    'b',
    'bAAAA',
    'b!',
  ),
  fc.string({ unit: 'binary', maxLength: 100 }),
)

/** Ten times the size that the server accepts. */
const oversized = fc.constant(`42["message:send",{"text":"${'x'.repeat(655_360)}"}]`)

const anyPacket: fc.Arbitrary<string | Buffer> = fc.oneof(
  { weight: 12, arbitrary: socketPacket },
  { weight: 4, arbitrary: enginePacket },
  { weight: 2, arbitrary: anyBytes },
  // A binary packet whose attachments never arrive, or are not those that it announces.
  { weight: 2, arbitrary: fc.constantFrom('451-["rooms",{"_placeholder":true,"num":0}]', '462-7[]') },
  { weight: 1, arbitrary: oversized },
)

/** Packets for one connection, sent at once. */
export const anyPackets = fc.array(anyPacket, { minLength: 1, maxLength: 8 })

/** Packets of a polling body, the packet separator among them. */
export const anyPollingBody: fc.Arbitrary<string> = fc
  .array(fc.oneof(anyPacket.map(String), fc.constantFrom('', '\x1e', '\x1e\x1e')), { maxLength: 6 })
  .map((packets) => packets.join('\x1e'))

const PROBE_ACK = '438'
const DEADLINE_MS = 30_000

/**
 * Connects, waits for `welcome`, sends the packets, then asks for its rooms.
 * @returns how it ended; throws when the server neither answers nor closes
 */
export function tryPackets(
  url: string,
  packets: readonly (string | Buffer)[],
): Promise<'answered' | 'closed'> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`)
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => end(() => reject(new Error('neither answered nor closed'))), DEADLINE_MS)
    const end = (settle: () => void) => {
      clearTimeout(timer)
      socket.terminate()
      settle()
    }
    socket.on('open', () => socket.send('40{"name":"packets"}'))
    socket.on('message', (data: Buffer) => {
      const text = data.toString()
      if (text.startsWith('42["welcome"'))
        for (const packet of [...packets, '428["rooms",{}]']) socket.send(packet)
      if (text.startsWith(PROBE_ACK)) end(() => resolve('answered'))
    })
    socket.on('close', () => end(() => resolve('closed')))
    // A reset by the server arrives here; `close` follows at once.
    socket.on('error', () => socket.terminate())
  })
}

/**
 * The same over long polling. @returns the status of the request with the body, and of the request after it
 */
export async function tryPolling(url: string, body: string): Promise<number[]> {
  const base = `${url}/socket.io/?EIO=4&transport=polling`
  const signal = AbortSignal.timeout(DEADLINE_MS)
  const opened = await (await fetch(base, { signal })).text()
  const { sid } = JSON.parse(opened.slice(1)) as { sid: string }
  const session = `${base}&sid=${sid}`
  const post = async (data: string) => {
    const answer = await fetch(session, { method: 'POST', body: data, signal })
    await answer.text()
    return answer.status
  }
  const statuses = [await post('40{"name":"polling"}')]
  await (await fetch(session, { signal })).text()
  statuses.push(await post(body), await post('428["rooms",{}]'))
  const last = await fetch(session, { signal })
  await last.text()
  statuses.push(last.status)
  if (last.status === 200) await post('1')
  return statuses
}
