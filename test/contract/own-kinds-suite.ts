/** Entries of an application's own kinds, which every log keeps as they are. */
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import type { LogEntry } from '../../src/wire/entry.ts'
import { bob, edit, type OpenLog, own, refused, remove, text } from './log-under-test.ts'

/** Of every sort of JSON, with keys and words that the stored form of an entry has too. */
const json = fc
  .oneof(fc.jsonValue(), fc.dictionary(fc.constantFrom('text', 'kind', 'n', 'hash', 'from'), fc.jsonValue()))
  .map((value): unknown => JSON.parse(JSON.stringify(value)))

export function describeOwnKinds(open: OpenLog): void {
  it('keeps and publishes the kind and the data of an application’s entry exactly', async () => {
    const { log, openReader } = await open()
    const told: LogEntry[] = []
    await log.watch('den')
    log.onEntry((entry) => told.push(entry))
    const reader = await openReader()
    let head = 0
    await fc.assert(
      fc.asyncProperty(json, async (data) => {
        head += 1
        expect(await log.append('den', own(`m${head}`, data))).toMatchObject({ seq: head, duplicate: false })
        const [entry] = (await reader.read('den', { newest: true, limit: 1 })).entries
        expect(JSON.stringify([entry?.kind, entry?.data])).toBe(JSON.stringify(['doc:stroke', data]))
        expect(JSON.stringify(told.at(-1)?.data)).toBe(JSON.stringify(data))
        expect(await log.append('den', own(`m${head}`, data))).toMatchObject({ seq: head, duplicate: true })
      }),
      { numRuns: 60 },
    )
  })

  it('keeps an entry without data, and the longest data', async () => {
    const { log } = await open()
    const longest = { points: 'ü'.repeat(32_760) }
    await log.append('den', own('m1'))
    await log.append('den', own('m2', longest))
    const { entries } = await log.read('den', { after: 0, limit: 9 })
    expect(entries.map(({ kind, data }) => [kind, data])).toEqual([
      ['doc:stroke', undefined],
      ['doc:stroke', longest],
    ])
    expect(entries.filter((entry) => 'data' in entry)).toHaveLength(1)
  })

  it('tells a retry from another entry by its kind and its data', async () => {
    const { log } = await open()
    await log.append('den', own('m1', { x: 1 }))
    await log.append('den', own('m2'))
    expect(await log.append('den', own('m1', { x: 1 }))).toMatchObject({ seq: 1, duplicate: true })
    for (const other of [own('m1', { x: 2 }), own('m1'), own('m2', null), text('m1')])
      await expect(log.append('den', other)).rejects.toEqual(refused('conflict'))
    await expect(log.append('den', own('m1', { x: 1 }, undefined, 'else'))).rejects.toEqual(
      refused('conflict'),
    )
    expect(await log.append('den', own('m1', { x: 1 }, bob))).toMatchObject({ seq: 3, duplicate: false })
  })

  it('changes an application’s entry neither by an edit nor by a removal, and counts it as no text', async () => {
    const { log } = await open()
    await log.trackRoom('bob', 'den')
    const data = { a: 1, kind: 'text', text: 'not a text', from: { id: 'ann', name: 'Ann' } }
    await log.append('den', own('m1', data))
    await log.append('den', text('m2'))
    await expect(log.append('den', edit('e1', 1))).rejects.toEqual(refused('forbidden'))
    await expect(log.append('den', remove('r1', 1))).rejects.toEqual(refused('forbidden'))
    await log.append('den', remove('r2', 2))
    const { entries } = await log.read('den', { after: 0, limit: 9 })
    expect(entries.map((entry) => entry.data)).toEqual([data, undefined, undefined])
    expect(await log.userRooms('bob')).toEqual([{ room: 'den', head: 3, read: 0, unread: 0 }])
  })

  it('trims entries of all kinds alike', async () => {
    const { log } = await open({ retention: { messages: 2, days: 365 } })
    const data = { a: 1, kind: 'edit', id: 'm9', n: 99 }
    for (let n = 1; n <= 4; n += 1) await log.append('den', own(`m${n}`, data))
    await log.append('den', text('t1'))
    expect(await log.head('den')).toMatchObject({ head: 5, first: 4 })
    expect(await log.append('den', own('m1', 'new'))).toMatchObject({ seq: 6, duplicate: false })
    await log.trackRoom('bob', 'den')
    expect(await log.userRooms('bob')).toEqual([{ room: 'den', head: 6, read: 6, unread: 0 }])
  })
}
