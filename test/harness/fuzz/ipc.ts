/** Messages on Node's IPC channel: foreign ones, nearly valid ones, and valid ones with false content. */
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
