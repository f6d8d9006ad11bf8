/** Fills rooms with messages: through the HTTP API, or directly in the log before the server starts. */
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { openEmbeddedLog } from '../../../src/log/embedded-log.ts'
import { UNLIMITED_RATES } from '../cluster/cluster.ts'

const API_KEY = 'the-api-key-of-the-browser-tests'
/** The number of appends that wait for the log at once; it refuses more than 10,000. */
const APPENDS_AT_ONCE = 1_000

/** Settings for the server under test. */
export const HISTORY_SETTINGS = { API_KEY, ...UNLIMITED_RATES }

export interface HistoryMessage {
  from: { id: string; name: string }
  text: string
  /** Unix milliseconds. */
  at?: number
}

const AUTHORS = [
  { id: 'ada', name: 'Ada' },
  { id: 'grace', name: 'Grace' },
  { id: 'edsger', name: 'Edsger' },
] as const

/** `count` messages by a few people, who write several in a row. */
export function sampleMessages(count: number, text: (index: number) => string): HistoryMessage[] {
  return Array.from({ length: count }, (_, index) => {
    const from = AUTHORS[Math.floor(index / 3) % AUTHORS.length] ?? AUTHORS[0]
    return { from, text: text(index + 1) }
  })
}

/** Publishes through the API, one after another. */
export async function publish(url: string, room: string, said: readonly HistoryMessage[]): Promise<void> {
  for (const [index, { from, text }] of said.entries()) {
    const answer = await fetch(`${url}/api/rooms/${room}/messages`, {
      method: 'POST',
      headers: { authorization: `Bearer ${API_KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify({ id: `history-${index}`, text, from }),
    })
    if (!answer.ok) throw new Error(`not published: ${answer.status} ${await answer.text()}`)
    await answer.arrayBuffer()
  }
}

/** Writes into the log of a server that is not running yet. */
export async function writeLog(
  dataDir: string,
  room: string,
  said: readonly HistoryMessage[],
): Promise<void> {
  let now = Date.now()
  const log = await openEmbeddedLog({
    directory: dataDir,
    retention: { messages: Number.POSITIVE_INFINITY, days: Number.POSITIVE_INFINITY },
    clock: () => now,
    logger: pino({ level: 'silent' }),
    registry: new Registry(),
  })
  const append = ({ from, text, at }: HistoryMessage, index: number) => {
    now = at ?? now
    return log.append(room, { kind: 'text', id: `history-${index}`, from, text })
  }
  // Messages with a time are appended one by one: the log reads its clock when it writes.
  const step = said.some(({ at }) => at !== undefined) ? 1 : APPENDS_AT_ONCE
  for (let first = 0; first < said.length; first += step) {
    await Promise.all(said.slice(first, first + step).map((one, offset) => append(one, first + offset)))
  }
  await log.close()
}
