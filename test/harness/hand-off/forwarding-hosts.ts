/** Several hosts of the hand-off fixture that know each other, and requests that they forward. */
import type { ForwardLimits } from '../../../src/primary/forward/forwarding.ts'
import { exchange } from '../network/raw-http.ts'
import { HandOffHost, metricSum } from './host.ts'

const SECRET = 'the secret of all hosts, 32 bytes or more'
/** Long, so that a busy machine does not look like a slow host. */
const PATIENCE = { dialTimeoutMs: 60_000, preambleTimeoutMs: 60_000 }
export const HANDSHAKE = 'GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: a\r\n\r\n'

/** A heartbeat: answered with `ok` by the session's worker, and with 400 by all others. */
export const heartbeat = (sid: string) =>
  `POST /socket.io/?EIO=4&transport=polling&sid=${sid} HTTP/1.1\r\nHost: a\r\n` +
  'Content-Type: text/plain;charset=UTF-8\r\nContent-Length: 1\r\n\r\n3'

export const UNKNOWN_SESSION = '{"code":1,"message":"Session ID unknown"}'

export interface HostsSettings {
  workers?: number
  proxyProtocolFrom?: string[]
  forwards?: Partial<ForwardLimits>
  keepAliveMs?: number
}

export async function startHosts(count: number, settings: HostsSettings = {}): Promise<HandOffHost[]> {
  const hosts = await Promise.all(
    Array.from({ length: count }, () =>
      HandOffHost.start({
        workers: settings.workers ?? 2,
        keepAliveMs: settings.keepAliveMs ?? 0,
        limits: { admissionPerSecond: 0 },
        ...(settings.proxyProtocolFrom && { proxyProtocolFrom: settings.proxyProtocolFrom }),
        forward: { secrets: [SECRET], limits: { ...PATIENCE, ...settings.forwards } },
      }),
    ),
  )
  await Promise.all(hosts.map((host) => introduce(host, hosts)))
  return hosts
}

/** Gives `host` the forward addresses of the others. */
export async function introduce(host: HandOffHost, others: readonly HandOffHost[]): Promise<void> {
  for (const other of others) {
    if (other !== host) await host.knows(other.tag, `127.0.0.1:${other.forwardPort}`)
  }
}

export async function openSession(port: number): Promise<string> {
  const answer = await exchange(port, HANDSHAKE)
  const { sid } = JSON.parse(answer.body.slice(1)) as { sid: string }
  return sid
}

export async function metric(
  host: HandOffHost,
  name: string,
  labels: Record<string, string> = {},
): Promise<number> {
  return metricSum(await host.report(), `rookery_${name}`, labels)
}
