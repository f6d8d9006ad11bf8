/** The options of the chat as a part of an application. */
import { expect, it, test } from 'vitest'
import { settingsOf } from '../../src/chat/options.ts'
import { Access } from '../../src/chat/requests/access.ts'
import { Session } from '../../src/chat/session.ts'

test.each([
  [{ namespace: 'chat' }, /namespace/],
  [{ page: '/chat' }, /page: a path such as/],
  [{ page: '/a/"/' }, /page/],
  [{ auth: 'jwt' }, /auth: 'guest', a function/],
  [{ auth: {} }, /auth/],
  [{ auth: { secret: 'short' } }, /auth/],
  [{ auth: { secret: 'x'.repeat(32), jwksUrl: 'https://keys.example/jwks' } }, /auth/],
  [{ kinds: ['text'] }, /kinds: 0: this kind is that of the chat/],
  [{ authorize: true }, /authorize: a function/],
  [{ apiKey: 'short' }, /apiKey/],
  [{ jwtSecret: 'x' }, /jwtSecret/],
])('%j is refused', (options, problem) => {
  expect(() => settingsOf(options as object)).toThrow(problem)
})

it('without options it is a chat of guests, without page and HTTP API, whatever the environment says', () => {
  expect(settingsOf({})).toEqual({
    namespace: '/',
    page: undefined,
    mounting: { authenticate: undefined, authorize: undefined, kinds: [], api: false },
    settings: {
      auth: 'guest',
      jwtSecret: undefined,
      jwksUrl: undefined,
      jwtIssuer: undefined,
      jwtAudience: undefined,
      apiKey: undefined,
      peopleSearch: true,
    },
  })
})

it('an application’s checks run in the order of the requests, and a failed one refuses its own alone', async () => {
  const socket = {} as Session['socket']
  const user = { id: 'ann', name: 'Ann' }
  const session = new Session(socket, user, { isSlow: () => false, takePage: async () => undefined })
  const asked: string[] = []
  const access = new Access(async ({ room }) => {
    for (let turn = asked.length; turn < 3; turn += 1) await Promise.resolve()
    asked.push(room)
    if (room === 'b') throw new TypeError('a fault')
    return room !== 'c'
  })
  const checks = ['a', 'b', 'c', 'd'].map(async (room) => access.check(session, { action: 'join', room }))
  const outcomes = await Promise.allSettled(checks)
  expect(asked).toEqual(['a', 'b', 'c', 'd'])
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled'])
  expect(outcomes[2]).toMatchObject({ reason: { code: 'forbidden' } })
  expect(new Access().check(session, { action: 'join', room: 'a' })).toBeUndefined()
})
