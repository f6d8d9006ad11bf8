/** Log output that cannot be written: a full disk, a closed pipe. The host serves, and stops cleanly. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { plainEnvironment } from '../harness/command.ts'
import { freePort } from '../harness/network/free-port.ts'
import { until } from '../harness/until.ts'

const MAIN = new URL('../../dist/main.js', import.meta.url).pathname

let directory: string
let host: ChildProcess | undefined
let errors = ''
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rookery-log-output-'))
  errors = ''
})
afterEach(async () => {
  if (host?.exitCode === null && host.signalCode === null) {
    const exited = once(host, 'exit')
    host.kill('SIGKILL')
    await exited
  }
  await rm(directory, { recursive: true, force: true })
})

/** Without the log the ports cannot be read: free ones are chosen before. */
async function start(stdout: number | 'pipe', logFormat: string) {
  const [port, adminPort] = await Promise.all([freePort(), freePort()])
  const env = {
    ...plainEnvironment(),
    HOST: '127.0.0.1',
    PORT: String(port),
    ADMIN_PORT: String(adminPort),
    WORKERS: '1',
    DATA_DIR: directory,
    LOG_LEVEL: 'trace',
    LOG_FORMAT: logFormat,
  }
  const child = spawn(process.execPath, [MAIN, 'start'], { env, stdio: ['ignore', stdout, 'pipe'] })
  child.stderr?.on('data', (chunk) => {
    errors += String(chunk)
  })
  host = child
  return { child, url: `http://127.0.0.1:${port}`, adminUrl: `http://127.0.0.1:${adminPort}` }
}

async function isReady(url: string, child: ChildProcess): Promise<boolean> {
  if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}:\n${errors}`)
  const response = await fetch(`${url}/readyz`).catch(() => undefined)
  return response?.status === 200
}

async function count(adminUrl: string, name: string): Promise<number> {
  const text = await (await fetch(`${adminUrl}/metrics`)).text()
  return Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1])
}

async function stop(child: ChildProcess): Promise<unknown> {
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  const [code] = await exited
  return code
}

test.each(['json', 'pretty'])('a full disk under the %s log only loses log lines', async (format) => {
  const full = openSync('/dev/full', 'w')
  const { child, url, adminUrl } = await start(full, format)
  closeSync(full)
  await until(() => isReady(url, child), 'the host serves')
  expect(await count(adminUrl, 'rookery_log_write_errors_total')).toBeGreaterThan(0)
  expect(await stop(child), errors).toBe(0)
})

test.each(['json', 'pretty'])('a closed pipe under the %s log only loses log lines', async (format) => {
  const { child, url, adminUrl } = await start('pipe', format)
  child.stdout?.destroy()
  await until(() => isReady(url, child), 'the host serves')
  // A reload makes the primary and a new worker write.
  child.kill('SIGHUP')
  await until(
    async () => (await count(adminUrl, 'rookery_log_lines_dropped_total')) > 0,
    'lines are dropped and counted',
  )
  expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ status: 'ok' })
  expect(await stop(child), errors).toBe(0)
})
