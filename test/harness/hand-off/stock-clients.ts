/** Stock Socket.IO clients that the workers of the hand-off fixture answer. */
import type { Socket } from 'socket.io-client'
import { expect } from 'vitest'
import { until } from '../until.ts'

/** For `test.each`: a title, the client's transports, and whether it upgrades. */
export const TRANSPORTS: readonly [string, string[], boolean][] = [
  ['polling alone', ['polling'], false],
  ['polling and then WebSocket', ['polling', 'websocket'], true],
  ['WebSocket alone', ['websocket'], false],
]

export async function untilUpgraded(clients: readonly Socket[]): Promise<void> {
  await until(
    () => clients.every((client) => client.io.engine.transport.name === 'websocket'),
    'all clients have upgraded to WebSocket',
  )
}

/** All clients connect and, once upgraded, get three answers, each its own. */
export async function expectAnswers(clients: readonly Socket[], upgrades: boolean): Promise<void> {
  const first = await Promise.all(clients.map((client) => client.emitWithAck('echo', 'hello')))
  expect(first).toHaveLength(clients.length)
  if (upgrades) await untilUpgraded(clients)
  for (let round = 0; round < 3; round += 1) {
    const answers = await Promise.all(clients.map((client, n) => client.emitWithAck('echo', n)))
    expect(answers.map(({ value }) => value)).toEqual(clients.map((_, n) => n))
  }
}
