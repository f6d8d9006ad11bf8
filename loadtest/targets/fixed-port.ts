/**
 * Ports that a server keeps while it is down. They lie below the range that Linux uses for outgoing
 * connections, so no client takes one meanwhile.
 */
import { once } from 'node:events'
import { createServer } from 'node:net'

const FIRST = 20_000
const COUNT = 10_000

/** Concurrent runs start at different ports; one process uses none twice. */
let next = (process.pid * 97) % COUNT

export async function fixedPort(address: string): Promise<number> {
  for (let tries = 0; tries < COUNT; tries += 1) {
    const port = FIRST + next
    next = (next + 1) % COUNT
    if (await isFree(address, port)) return port
  }
  throw new Error(`no port of ${address} from ${FIRST} to ${FIRST + COUNT - 1} is free`)
}

async function isFree(address: string, port: number): Promise<boolean> {
  const server = createServer().listen(port, address)
  try {
    await once(server, 'listening')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return false
    throw error
  }
  server.close()
  await once(server, 'close')
  return true
}
