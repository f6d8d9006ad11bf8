/** Any input on the HTTP port gets a well-formed answer or is closed, and the next client is served. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { refusal } from '../harness/fuzz/answers.ts'
import { FuzzedHost } from '../harness/fuzz/host.ts'
import {
  API_KEY,
  answerTo,
  answerToHead,
  anyApiCall,
  anyHead,
  anyOtherRequest,
  type FuzzedRequest,
} from '../harness/fuzz/http.ts'
import { OutcomeCounts } from '../harness/fuzz/outcome-counts.ts'
import { fuzzLive } from '../harness/fuzz/runs.ts'

let host: FuzzedHost

beforeAll(async () => {
  host = await FuzzedHost.start({ env: { API_KEY } })
})
afterAll(() => host?.stop())
afterEach(() => host.expectHealthy())

describe('a request', () => {
  it('under /api gets a status and a body of the error table, or succeeds', async () => {
    const statuses = new OutcomeCounts()
    await fuzzLive(anyApiCall.filter(isApi), 1_200, async (request) => {
      const { status, body } = await answerTo(host.rookery.port, request)
      statuses.add(String(status))
      expect(documented.api).toContain(status)
      if (request.method === 'HEAD') return
      const parsed: unknown = JSON.parse(body)
      if (status !== 200) expect(refusal.safeParse(parsed).error).toBe(undefined)
      else expect(parsed).toMatchObject({ ok: true })
    })
    expect([...statuses.keys()]).toEqual(expect.arrayContaining(['200', '400', '401', '404', '413']))
  })

  it('for any other path gets one of the usual answers', async () => {
    await fuzzLive(anyOtherRequest, 800, async (request) => {
      const { status } = await answerTo(host.rookery.port, request)
      expect(documented.other).toContain(status)
    })
  })
})

describe('a request for a file', () => {
  it.each(['bytes=9-1', 'bytes=0-', 'bytes=-5', 'bytes=1e9-', 'x'])(
    'is answered, with the range %s too',
    async (range) => {
      const headers: [string, string][] = [['Range', range]]
      const { status, body } = await answerTo(host.rookery.port, {
        method: 'GET',
        target: '/',
        headers,
        body: '',
      })
      expect(status).toBe(200)
      expect(body).toContain('</html>')
    },
  )
})

describe('a request head', () => {
  it('of any bytes, cut anywhere, gets a well-formed answer or is closed', async () => {
    const outcomes = new OutcomeCounts()
    await fuzzLive(anyHead, 800, async (head) => {
      const answer = await answerToHead(host.rookery.port, head)
      outcomes.add(answer === undefined ? 'closed' : String(answer.status))
      if (answer !== undefined) expect(documented.head).toContain(answer.status)
    })
    expect([...outcomes.keys()]).toEqual(expect.arrayContaining(['closed', '200', '400', '431']))
  })
})

const documented = {
  api: [200, 400, 401, 403, 404, 409, 413, 503],
  other: [200, 204, 206, 304, 400, 401, 404, 405, 413, 416],
  head: [101, 200, 400, 401, 404, 408, 413, 414, 415, 417, 431],
}

/** `/api/../x` is not under `/api`. */
function isApi({ target }: FuzzedRequest): boolean {
  return new URL(target, host.rookery.url).pathname.startsWith('/api')
}
