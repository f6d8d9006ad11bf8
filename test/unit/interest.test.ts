import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { InterestTable } from '../../src/primary/relay/interest.ts'

describe('the table of interests', () => {
  it('agrees with a list of holds, in any order of holds, releases and removals', () => {
    const worker = fc.constantFrom('w1', 'w2', 'w3')
    const topic = fc.constantFrom('a', 'b', 'c', 'd')
    const step = fc.oneof(
      { weight: 5, arbitrary: fc.tuple(fc.constant('add' as const), worker, topic) },
      { weight: 5, arbitrary: fc.tuple(fc.constant('remove' as const), worker, topic) },
      { weight: 1, arbitrary: fc.tuple(fc.constant('forget' as const), worker, topic) },
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const table = new InterestTable(100)
        let holds: string[] = []
        for (const [action, who, what] of steps) {
          const hold = `${who} ${what}`
          if (action === 'add') {
            table.add(who, what)
            holds.push(hold)
          } else if (action === 'remove') {
            const at = holds.indexOf(hold)
            if (at >= 0) holds.splice(at, 1)
            expect(table.remove(who, what)).toBe(at >= 0 && !holds.includes(hold))
          } else {
            table.forget(who)
            holds = holds.filter((held) => !held.startsWith(who))
          }
          expect([...table.receivers(['a', 'b'], 'w1')].toSorted()).toEqual(
            ['w2', 'w3'].filter((other) => holds.includes(`${other} a`) || holds.includes(`${other} b`)),
          )
          expect(table.topics).toBe(new Set(holds.map((held) => held.split(' ')[1])).size)
        }
      }),
    )
  })

  it('refuses a topic beyond the limit of a worker, and accepts it when there is room again', () => {
    const table = new InterestTable(2)
    expect([table.add('w1', 'a'), table.add('w1', 'b'), table.add('w1', 'c')]).toEqual([true, true, false])
    expect([...table.subscribers('c')]).toEqual([])
    expect([table.add('w1', 'a'), table.add('w2', 'c')]).toEqual([true, true])
    table.remove('w1', 'b')
    expect(table.add('w1', 'c')).toBe(true)
    expect(table.topicsOf('w1')).toBe(2)
  })
})
