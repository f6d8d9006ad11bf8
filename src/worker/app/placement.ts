/** What the application exports as `placement`, checked. */
import type { Placement } from '../../core/placement.ts'

const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/
const PLACES = ['query', 'header', 'cookie'] as const

/** @throws with advice when it is no `AppPlacement` */
export function checkPlacement(exported: unknown): Placement | undefined {
  if (exported === undefined) return undefined
  const [entry, ...others] = Object.entries(typeof exported === 'object' && exported !== null ? exported : {})
  const [key, name] = entry ?? []
  const from = PLACES.find((place) => place === key)
  if (from === undefined || typeof name !== 'string' || !NAME.test(name) || others.length > 0)
    throw new Error(
      "placement: it is { query: 'name' }, { header: 'name' } or { cookie: 'name' }: where the handshake says what belongs together",
    )
  return { from, name }
}
