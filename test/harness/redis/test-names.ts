/** Makes the names `*.redis.test` stand for 127.0.0.1 in this process, as an entry in /etc/hosts would. */
import dns from 'node:dns'
import { syncBuiltinESMExports } from 'node:module'

type Lookup = (name: string, ...rest: unknown[]) => void

/** @returns a function that ends it */
export function resolveTestNames(): () => void {
  const { lookup } = dns
  const real = lookup as unknown as Lookup
  const withTestNames: Lookup = (name, ...rest) =>
    real(name.endsWith('.redis.test') ? '127.0.0.1' : name, ...rest)
  Object.assign(dns, { lookup: withTestNames })
  syncBuiltinESMExports()
  return () => {
    Object.assign(dns, { lookup })
    syncBuiltinESMExports()
  }
}
