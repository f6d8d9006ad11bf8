/** HTTP scenarios: requests as data, and how to recognize a correct response. Pure. */
import type { Dialect } from '../model/plan.ts'

export interface HttpSettings {
  connections: number
  ratePerSec: number
  durationSec: number
}

export interface HttpRequest {
  method: 'GET' | 'POST'
  path: string
  headers: Record<string, string>
  /** Made for each request; `number` counts them over the whole run. */
  body?: (number: number) => string
}

export interface HttpScenario {
  readonly name: string
  readonly title: string
  readonly invariant: string
  readonly defaults: HttpSettings
  /** Dialects whose servers support it. */
  readonly dialects: readonly Dialect[]
  /** Uses the part of the API that needs a key. */
  readonly needsKey: boolean
  /** Sent one after the other before measuring starts. @param run prefix of all names */
  readonly before?: (run: string, apiKey: string) => { request: HttpRequest; times: number }
  readonly request: (run: string, apiKey: string) => HttpRequest
  readonly isRight: (body: string) => boolean
}

const ANSWERED = 'Every response is 2xx with the expected body, at the requested rate'
const DEFAULTS: HttpSettings = { connections: 50, ratePerSec: 500, durationSec: 10 }
/** Messages that are published first. */
const HISTORY_MESSAGES = 200
const HISTORY_PAGE = 50

const httpPage: HttpScenario = {
  name: 'http-page',
  title: 'Fetches the chat page',
  invariant: ANSWERED,
  defaults: DEFAULTS,
  dialects: ['chat'],
  needsKey: false,
  request: () => ({ method: 'GET', path: '/', headers: {} }),
  isRight: (body) => /<html[\s>]/i.test(body),
}

const httpHistory: HttpScenario = {
  name: 'http-history',
  title: `Fetches a page of ${HISTORY_PAGE} messages, out of ${HISTORY_MESSAGES}`,
  invariant: ANSWERED,
  defaults: { ...DEFAULTS, ratePerSec: 200 },
  dialects: ['chat'],
  needsKey: true,
  before: (run, apiKey) => ({ request: publish(run, apiKey), times: HISTORY_MESSAGES }),
  request: (run, apiKey) => ({
    method: 'GET',
    path: `${roomPath(run)}?limit=${HISTORY_PAGE}`,
    headers: bearer(apiKey),
  }),
  isRight: (body) => body.split('"seq"').length === HISTORY_PAGE + 1,
}

const httpPublish: HttpScenario = {
  name: 'http-publish',
  title: 'Publishes messages over the API; each is stored before the response',
  invariant: ANSWERED,
  defaults: { ...DEFAULTS, ratePerSec: 200 },
  dialects: ['chat'],
  needsKey: true,
  request: publish,
  isRight: (body) => /"ok":true/.test(body) && /"duplicate":false/.test(body),
}

const httpHandshakes: HttpScenario = {
  name: 'http-handshakes',
  title: 'Opens sessions by long polling, and leaves them',
  invariant: ANSWERED,
  defaults: { ...DEFAULTS, ratePerSec: 200 },
  dialects: ['chat', 'bench'],
  needsKey: false,
  request: () => ({ method: 'GET', path: '/socket.io/?EIO=4&transport=polling', headers: {} }),
  isRight: (body) => body.startsWith('0{"sid":'),
}

export const HTTP_SCENARIOS: readonly HttpScenario[] = [httpPage, httpHistory, httpPublish, httpHandshakes]

function publish(run: string, apiKey: string): HttpRequest {
  return {
    method: 'POST',
    path: roomPath(run),
    headers: { ...bearer(apiKey), 'content-type': 'application/json' },
    body: (number) =>
      JSON.stringify({
        id: `${run}-${number}`,
        text: `message ${number}`.padEnd(64, 'x'),
        from: { id: `${run}-loadtest`, name: 'loadtest' },
      }),
  }
}

const roomPath = (run: string): string => `/api/rooms/${run}-http/messages`
const bearer = (apiKey: string): Record<string, string> => ({ authorization: `Bearer ${apiKey}` })
