/** The check that runs on every log line of every host under test. */
import { expect, it } from 'vitest'
import { createLogger } from '../../src/ops/logger.ts'
import { duplicateKeys } from '../harness/cluster/log-keys.ts'

it.each([
  ['{"host":"a","msg":"m","host":"b"}', ['host']],
  ['{"a":1,"b":{"a":1,"c":[{"a":2}]},"msg":"\\"a\\":1, {\\"a\\":"}', []],
  ['{"a":{"x":1},"a":[1],"b":"}","b":2}', ['a', 'b']],
  ['{}', []],
])('%s', (line, twice) => {
  expect(duplicateKeys(line)).toEqual(twice)
})

it('finds a key that both a binding and a line have', () => {
  const lines: string[] = []
  const stream = { write: (line: string) => void lines.push(line) }
  const logger = createLogger({ level: 'info', format: 'json', bindings: { host: 'one' }, stream })
  logger.info({ host: 'other', peer: 'p' }, 'said')
  logger.child({ part: 'redis' }).info({ part: 'log' }, 'said')
  expect(lines.map(duplicateKeys)).toEqual([['host'], ['part']])
})
