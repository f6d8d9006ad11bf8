/** What can be asked of a server over HTTP. Pure: requests as data, and what a right answer looks like. */
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
  /** Made anew for each request: `number` counts them over the whole run. */
  body?: (number: number) => string
}

export interface HttpScenario {
  readonly name: string
  readonly title: string
  readonly invariant: string
  readonly defaults: HttpSettings
  /** Of these alone the servers have what is asked for. */
  readonly dialects: readonly Dialect[]
  /** Takes part of the API that needs a key. */
  readonly needsKey: boolean
  /** Sent one after the other before anything is measured. @param run begins all names */
  readonly before?: (run: string, apiKey: string) => { request: HttpRequest; times: number }
  readonly request: (run: string, apiKey: string) => HttpRequest
  readonly isRight: (body: string) => boolean
}

const ANSWERED = 'Every answer is 2xx and what was asked for, at the asked rate'
const DEFAULTS: HttpSettings = { connections: 50, ratePerSec: 500, durationSec: 10 }
/** Texts that a page of the history then holds. */
const HISTORY_MESSAGES = 200
const HISTORY_PAGE = 50

const httpPage: HttpScenario = {
  name: 'http-page',
  title: 'The chat page is fetched',
  invariant: ANSWERED,
  defaults: DEFAULTS,
  dialects: ['chat'],
  needsKey: false,
  request: () => ({ method: 'GET', path: '/', headers: {} }),
  isRight: (body) => /<html[\s>]/i.test(body),
}

const httpHistory: HttpScenario = {
  name: 'http-history',
  title: `A page of ${HISTORY_PAGE} messages is asked for, out of ${HISTORY_MESSAGES}`,
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
  title: 'Messages are published over the API, each stored before it is answered',
  invariant: ANSWERED,
  defaults: { ...DEFAULTS, ratePerSec: 200 },
  dialects: ['chat'],
  needsKey: true,
  request: publish,
  isRight: (body) => /"ok":true/.test(body) && /"duplicate":false/.test(body),
}

const httpHandshakes: HttpScenario = {
  name: 'http-handshakes',
  title: 'Sessions are opened by long polling, and left',
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
