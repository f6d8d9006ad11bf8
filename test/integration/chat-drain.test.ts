/** A draining worker announces it, answers open requests, and sends its clients to other workers; no message is lost. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { ChatClient } from '../harness/client/chat-client.ts'
import { type RunningRookery, startRookery } from '../harness/cluster/cluster.ts'
import { until } from '../harness/until.ts'

let rookery: RunningRookery
let ada: ChatClient

beforeAll(async () => {
  const rates = { MESSAGE_RATE: '100000', MESSAGE_BURST: '100000' }
  rookery = await startRookery({ env: { WORKERS: '1', ...rates } })
})
afterAll(async () => {
  ada.close()
  expect(await rookery.stop()).toBe(0)
})

it('a reload is announced, leaves no request without an answer, and the client resumes', async () => {
  ada = await ChatClient.guest(rookery.url, 'Ada', { reconnectionDelay: 50, reconnectionDelayMax: 100 })
  const first = ada.welcome.worker
  const { epoch } = await ada.join('lobby')
  const acked: number[] = []
  const refused: string[] = []
  let unanswered = 0
  const sendOne = async (id: string): Promise<void> => {
    const asked = ada.raw('message:send', { room: 'lobby', id, text: 'x' })
    const ack = await asked.catch(() => undefined)
    if (ack === undefined) unanswered += 1
    else if (ack.ok === true) acked.push(Number(ack.seq))
    else refused.push((ack.error as { code: string }).code)
  }
  rookery.signal('SIGHUP')
  /** One request after another, until the connection is closed. */
  const sending = (async () => {
    for (let i = 0; ada.disconnects.length === 0; i += 1) await sendOne(`m-${i}`)
  })()
  expect(await ada.next('draining')).toEqual({ reconnectInMs: expect.any(Number) })
  await sending
  await until(() => ada.all('welcome').length === 2, 'the client is welcomed again')
  expect(ada.welcome.worker).not.toBe(first)
  expect(ada.disconnects).toEqual(['transport close'])
  expect(acked.length).toBeGreaterThan(0)
  expect(refused.filter((code) => code !== 'draining')).toEqual([])
  // Requests sent while the connection closes reach nobody.
  expect(unanswered).toBeLessThanOrEqual(1)
  const after = ada.seqs('lobby').at(-1) ?? 0
  const resumed = await ada.join('lobby', { after, epoch })
  const shown = [...ada.seqs('lobby'), ...resumed.messages.map(({ seq }) => seq)]
  expect(shown).toEqual(shown.map((_, i) => i + 1))
  expect(shown).toEqual(expect.arrayContaining(acked))
})
