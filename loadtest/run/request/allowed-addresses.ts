/** Restricts where a run may send to: this machine, and addresses that the user named. Pure. */
import { isLoopback } from '../../load/addresses.ts'
import { UsageError } from '../exit-codes.ts'

/** @param named by the user, with --url @throws UsageError */
export function refuseUnnamedHosts(urls: readonly (readonly string[])[], named: readonly string[]): void {
  const allowed = new Set(named.map(hostOf))
  for (const url of urls.flat())
    if (!isLoopback(url) && !allowed.has(hostOf(url)))
      throw new UsageError(`${url} is not on this machine, and no --url names it: nothing was sent`)
}

const hostOf = (url: string): string => new URL(url).host
