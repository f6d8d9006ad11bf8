import { Registry } from 'prom-client'
import { describe, expect, it } from 'vitest'
import { createLogger } from '../../src/ops/logger.ts'
import { parseEmit } from '../../src/primary/emitter/emit-request.ts'
import { emitRoutes } from '../../src/primary/emitter/index.ts'
import { RookeryError } from '../../src/wire/errors.ts'

const TOKEN = 'a token of more than thirty-two bytes'

const problem = (body: unknown): string => {
  try {
    return JSON.stringify(parseEmit(typeof body === 'string' ? body : JSON.stringify(body)))
  } catch (error) {
    if (error instanceof RookeryError) return `${error.code} ${error.message}`
    throw error
  }
}

describe('the body of POST /emit', () => {
  it('needs an event alone', () => {
    expect(parseEmit('{"event":"news"}')).toEqual({
      kind: 'emit',
      nsp: '/',
      rooms: [],
      except: [],
      flags: { volatile: false, compress: undefined },
      data: ['news'],
    })
    const whole = {
      namespace: '/chat',
      rooms: ['a', 7],
      except: ['b'],
      event: 'e',
      args: [{ a: 1 }],
      volatile: true,
    }
    expect(parseEmit(JSON.stringify(whole))).toMatchObject({
      nsp: '/chat',
      rooms: ['a', 7],
      except: ['b'],
      flags: { volatile: true },
      data: ['e', { a: 1 }],
    })
  })

  it('is refused with what is wrong', () => {
    expect(problem('{')).toBe('bad_request the body is not JSON')
    expect(problem([])).toMatch(/^bad_request the body: /)
    expect(problem({})).toMatch(/^bad_request event: /)
    expect(problem({ event: 'connect' })).toMatch(/^bad_request event: an event of Socket\.IO itself/)
    expect(problem({ event: 'e', room: 'a' })).toMatch(/room/)
    expect(problem({ event: 'e', rooms: [] })).toMatch(/^bad_request rooms: no room: leave it out/)
    expect(problem({ event: 'e', rooms: [null] })).toMatch(/^bad_request rooms\.0: a room is/)
    expect(problem({ event: 'e', namespace: 'chat' })).toMatch(
      /^bad_request namespace: a namespace begins with \//,
    )
    let deep: unknown = 1
    for (let level = 0; level < 200; level += 1) deep = [deep]
    expect(problem({ event: 'e', args: [deep] })).toMatch(/^bad_request args: too deep/)
  })
})

describe('POST /emit', () => {
  const logger = createLogger({ level: 'silent', format: 'json' })
  const create = (options: { token?: string; isolated?: boolean; sent?: boolean } = {}) => {
    const published: { reach: string }[] = []
    const { token = TOKEN, isolated = false, sent = true } = options
    const registry = new Registry()
    const routes = emitRoutes({
      token: token === '' ? undefined : token,
      relay: { publishFromOutside: (publication) => (published.push(publication), sent) },
      backplane: { isolated, hosts: () => [] },
      logger,
      registry,
      now: () => 0,
    })
    const post = async (body: string, headers: Record<string, string> = {}) => {
      const response = await routes.request('/', {
        method: 'POST',
        headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json', ...headers },
        body,
      })
      return { status: response.status, answer: (await response.json()) as Record<string, unknown> }
    }
    return { post, published, registry }
  }
  const event = '{"event":"e"}'

  it('publishes to the cluster, for who has the token', async () => {
    const { post, published, registry } = create()
    expect(await post(event)).toEqual({ status: 200, answer: { ok: true, hosts: 1 } })
    expect(published).toMatchObject([{ reach: 'cluster' }])
    const statuses = [
      await post(event, { authorization: 'Bearer wrong' }),
      await post(event, { authorization: TOKEN }),
      await post(event, { 'content-type': 'text/plain' }),
      await post('{"event":"disconnect"}'),
      await post(`{"event":"${'x'.repeat(1_048_577)}"}`),
    ].map(({ status }) => status)
    expect(statuses).toEqual([401, 401, 400, 400, 413])
    expect(published).toHaveLength(1)
    expect(await registry.metrics()).toContain('rookery_emit_requests_total{code="unauthenticated"} 2')
  })

  it('says what is missing, and does nothing by halves', async () => {
    expect((await create({ token: '' }).post(event)).answer).toMatchObject({ error: { code: 'not_found' } })
    const alone = create({ isolated: true })
    expect(await alone.post(event)).toMatchObject({ status: 503, answer: { error: { code: 'unavailable' } } })
    expect(alone.published).toEqual([])
    expect(await create({ sent: false }).post(event)).toMatchObject({ status: 503 })
  })

  it('is bounded in emits, and in attempts with a wrong token', async () => {
    const { post } = create()
    const codes = async (headers: Record<string, string>, times: number) => {
      const found: number[] = []
      for (let n = 0; n < times; n += 1) found.push((await post(event, headers)).status)
      return new Map([200, 401, 429].map((code) => [code, found.filter((one) => one === code).length]))
    }
    expect(Object.fromEntries(await codes({ authorization: 'Bearer wrong' }, 25))).toEqual({
      200: 0,
      401: 20,
      429: 5,
    })
    expect(Object.fromEntries(await codes({}, 1_010))).toEqual({ 200: 1_000, 401: 0, 429: 10 })
  })
})
