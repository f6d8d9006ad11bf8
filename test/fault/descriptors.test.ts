/** A host with few file descriptors, and more idle connections than that. */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { type RunningRookery, startRookery } from '../harness/cluster/cluster.ts'
import { until } from '../harness/until.ts'

const DESCRIPTORS = 256

let rookery: RunningRookery | undefined
let directory: string | undefined
const idle: Socket[] = []
afterEach(async () => {
  for (const socket of idle.splice(0)) socket.destroy()
  await rookery?.stop()
  if (directory !== undefined) await rm(directory, { recursive: true, force: true })
})

/** A Node.js process with a low limit of open files. */
async function limitedNode(): Promise<string> {
  directory = await mkdtemp(join(tmpdir(), 'rookery-descriptors-'))
  const file = join(directory, 'node')
  await writeFile(file, `#!/bin/sh\nulimit -n ${DESCRIPTORS}\nexec '${process.execPath}' "$@"\n`)
  await chmod(file, 0o755)
  return file
}

test('idle connections above the limit lock no client out, and the log warns that the limit is low', async () => {
  // Idle connections last longer than the test may take.
  const env = { WORKERS: '1', HEAD_TIMEOUT_MS: '300000' }
  const host = await startRookery({ node: await limitedNode(), env })
  rookery = host
  const warning = host.logs.find(({ descriptors }) => descriptors === DESCRIPTORS)
  expect(warning).toMatchObject({ level: 'warn', msg: expect.stringContaining('ulimit -n') })

  let opened = 0
  for (let count = 0; count < 2 * DESCRIPTORS; count += 1) {
    const socket = connect(host.port, '127.0.0.1', () => {
      opened += 1
    })
    socket.on('error', () => undefined)
    idle.push(socket)
  }
  await until(() => opened === idle.length, 'all are connected')
  expect(await (await fetch(`${host.url}/healthz`)).json()).toEqual({ status: 'ok' })
  expect((await fetch(`${host.url}/readyz`)).status).toBe(200)
  const metrics = await (await fetch(`${host.adminUrl}/metrics`)).text()
  const accepted = Number(/^rookery_front_connections_total (\d+)$/m.exec(metrics)?.[1])
  expect(accepted).toBeGreaterThanOrEqual(idle.length)
})
