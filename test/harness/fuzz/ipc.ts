/** Messages on Node's IPC channel: none of Rookery's, nearly one, and lies. Those that are Node's own it never lets out. */
import * as fc from 'fast-check'
import { anyJson } from './values.ts'

const type = fc.constantFrom(
  'rookery:ready',
  'rookery:taken',
  'rookery:drained',
  'rookery:failed',
  'rookery:drain',
  'sticky:connection',
  'sticky:disconnection',
  'axm:monitor',
  'process:msg',
  '__proto__',
)

export const anyControlMessage: fc.Arbitrary<unknown> = fc.oneof(
  anyJson,
  fc.record(
    { type, data: anyJson, id: anyJson, arrived: anyJson, reason: anyJson },
    { requiredKeys: ['type'] },
  ),
  fc.record(
    { type, data: fc.string(), id: fc.integer(), arrived: fc.boolean(), reason: fc.string() },
    { requiredKeys: ['type'] },
  ),
  fc.record({ type: fc.constantFrom('axm:monitor', 'axm:action', 'axm:reply'), data: anyJson }),
)
