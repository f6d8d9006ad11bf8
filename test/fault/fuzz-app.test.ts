/** An application may send anything on Node's IPC channel, as pm2's agent does: the primary ignores it. */
import { expect, it } from 'vitest'
import { ChatClient } from '../harness/client/chat-client.ts'
import { FuzzedHost } from '../harness/fuzz/host.ts'
import { anyControlMessage } from '../harness/fuzz/ipc.ts'
import { OutcomeCounts } from '../harness/fuzz/outcome-counts.ts'
import { fuzzLive } from '../harness/fuzz/runs.ts'

const APP = new URL('../fixtures/fuzz-app.js', import.meta.url).pathname
const ACK_TIMEOUT_MS = 30_000

it('any message of a worker on the IPC channel is ignored, and connections are still accepted', async () => {
  const host = await FuzzedHost.start({ args: ['--app', APP] })
  const { socket } = new ChatClient(host.rookery.url)
  try {
    const outcomes = new OutcomeCounts()
    const say = async (event: string, message: unknown) =>
      outcomes.add(await socket.timeout(ACK_TIMEOUT_MS).emitWithAck(event, message))
    await fuzzLive(anyControlMessage, 1_000, (message) => say('say', message))
    for (const name of await odditiesOf(host)) await say('say odd', name)
    expect(outcomes.get('said')).toBeGreaterThan(900)
    for (let index = 0; index < 20; index += 1) await odditiesOf(host)
    host.expectUnharmed()
    expect(await unknownMessages(host)).toBeGreaterThan(500)
  } finally {
    socket.disconnect()
    expect(await host.stop()).toBe(0)
  }
})

/** A new client asks each time. */
async function odditiesOf(host: FuzzedHost): Promise<string[]> {
  const { socket } = new ChatClient(host.rookery.url)
  try {
    return await socket.timeout(ACK_TIMEOUT_MS).emitWithAck('odd')
  } finally {
    socket.disconnect()
  }
}

async function unknownMessages(host: FuzzedHost): Promise<number> {
  const text = await (await fetch(`${host.rookery.adminUrl}/metrics`)).text()
  const lines = text.match(/^rookery_unknown_control_messages_total.* [0-9]+$/gm) ?? []
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}
