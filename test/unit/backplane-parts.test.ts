import { createRequire } from 'node:module'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isWholeMsgpack } from '../../src/core/msgpack-check.ts'
import type { Opened } from '../../src/primary/backplane-envelope.ts'
import { open, seal } from '../../src/primary/backplane-envelope.ts'
import { HostHearing } from '../../src/primary/backplane-hearing.ts'
import { HostTable } from '../../src/primary/backplane-hosts.ts'
import { HostNonces } from '../../src/primary/backplane-nonces.ts'
import type { SigningKeys } from '../../src/redis/signing.ts'
import type { HostMessage } from '../../src/wire/host-messages.ts'

/** The adapter's own. */
const notepack = createRequire(createRequire(import.meta.url).resolve('@socket.io/redis-adapter'))(
  'notepack.io',
) as { encode(value: unknown): Uint8Array; decode(bytes: Uint8Array): unknown }

const travelled = (value: unknown): unknown => notepack.decode(notepack.encode(value))

const newNonces = () => {
  let drawn = 0
  return new HostNonces({ draw: () => `nonce ${(drawn += 1)}`, validMs: 100, askAgainMs: 10 })
}

const info = (host: string) => ({ host, name: `name of ${host}`, forwardTo: undefined })
const head = (host: string, n: number, base = 0, to = 'topic') => ({ host, n, base, to })

describe('the check of MessagePack', () => {
  const value = fc.letrec((tie) => ({
    leaf: fc.oneof(
      fc.string(),
      fc.maxSafeInteger(),
      fc.double({ noNaN: true }),
      fc.boolean(),
      fc.constant(null),
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    ),
    node: fc.oneof(
      { depthSize: 'small' },
      tie('leaf'),
      fc.array(tie('node'), { maxLength: 20 }),
      fc.dictionary(fc.string(), tie('node'), { maxKeys: 20 }),
    ),
  })).node

  it('takes whatever the encoder makes, and nothing that is shorter or longer', () => {
    fc.assert(
      fc.property(value, fc.nat(), (made, cut) => {
        const bytes = Buffer.from(notepack.encode(made))
        expect(isWholeMsgpack(bytes)).toBe(true)
        expect(isWholeMsgpack(Buffer.concat([bytes, Buffer.from([0])]))).toBe(false)
        expect(isWholeMsgpack(bytes.subarray(0, cut % bytes.length))).toBe(false)
      }),
    )
  })

  it('agrees that what it takes can be decoded', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (random) => {
        const bytes = Buffer.from(random)
        if (isWholeMsgpack(bytes)) expect(() => notepack.decode(bytes)).not.toThrow()
      }),
      { numRuns: 5_000 },
    )
  })

  it('refuses lengths that nothing stands behind, and endless nesting, without making them', () => {
    for (const bytes of [
      [0xdd, 0x7f, 0xff, 0xff, 0xff],
      [0xdf, 0xff, 0xff, 0xff, 0xff, 1],
      [0xc9, 0xff, 0xff, 0xff, 0xff, 0],
    ])
      expect(isWholeMsgpack(Buffer.from(bytes))).toBe(false)
    expect(isWholeMsgpack(Buffer.from([...Array.from({ length: 5_000 }, () => 0x91), 0xc0]))).toBe(false)
  })
})

describe('an envelope', () => {
  const keys: SigningKeys = { cluster: 'c', secrets: ['one'] }
  const message: HostMessage = {
    type: 'publication',
    from: 'w1',
    topics: ['e:/', 'ü€𝄞'],
    grants: [],
    body: Buffer.from([0, 1, 255]),
  }

  it('brings a message through unharmed, signed or not', () => {
    for (const sealedWith of [undefined, keys]) {
      const opened = open(travelled(seal(head('AAAAAA', 3, 1), message, sealedWith)), sealedWith) as Opened
      expect(opened).toMatchObject({ host: 'AAAAAA', n: 3, base: 1, to: 'topic' })
      expect(opened.said).toEqual({ kind: 'message', message })
    }
  })

  it('holds its signature through JSON as well', () => {
    const present: HostMessage = {
      type: 'present',
      rooms: [
        { room: 'den', version: 2, members: [{ id: 'a', name: 'lone \ud800 and "quoted"' }], more: false },
      ],
    }
    const json: unknown = JSON.parse(JSON.stringify(seal(head('AAAAAA', 1), present, keys)))
    expect(open(json, keys)).toMatchObject({ said: { message: present } })
  })

  it('is refused when anything in it has been changed, or it is not signed', () => {
    const sealed = seal(head('AAAAAA', 3, 1), message, keys)
    const changed = [
      { ...sealed, n: 4 },
      { ...sealed, base: 2 },
      { ...sealed, to: 'all' },
      { ...sealed, host: 'BBBBBB' },
      { ...sealed, body: Buffer.from([0, 1, 254]) },
      { ...sealed, message: { ...sealed.message, from: 'w2' } },
      { ...sealed, signature: 'AAAA' },
    ]
    for (const envelope of changed) expect(open(envelope, keys)).toBe('forged')
    expect(open(seal(head('AAAAAA', 3, 1), message), keys)).toBe('unsigned')
    expect(open(sealed, { ...keys, cluster: 'another' })).toBe('forged')
    expect(open(sealed, { ...keys, secrets: ['two', 'one'] })).toMatchObject({ n: 3 })
  })

  it('is refused by a reason, whatever it is', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        expect(['envelope', 'message']).toContain(open(value))
      }),
    )
  })
})

describe('the table of hosts', () => {
  it('tells what is new, what was heard before, and what may be lost', () => {
    const table = new HostTable(10)
    expect(table.hear(head('AAAAAA', 1), 0)).toBe('unknown')
    expect(table.join(info('AAAAAA'), head('AAAAAA', 5, 2), 0)).toBe(true)
    expect(table.hear(head('AAAAAA', 5, 2), 0)).toBe('replayed')
    expect(table.hear(head('AAAAAA', 9, 2), 0)).toBe('fine')
    expect(table.hear(head('AAAAAA', 8, 2), 0)).toBe('replayed')
    expect(table.hear(head('AAAAAA', 10, 3, 'all'), 0)).toBe('fine')
    expect(table.hear(head('AAAAAA', 11, 5, 'all'), 0)).toBe('gap')
    expect(table.hear(head('AAAAAA', 12, 5), 0)).toBe('fine')
    expect(table.hear(head('AAAAAA', 13, 6), 0)).toBe('gap')
  })

  it('finds the silent, but not while nobody could be heard', () => {
    const table = new HostTable(2)
    table.join(info('AAAAAA'), head('AAAAAA', 1), 0)
    table.join(info('BBBBBB'), head('BBBBBB', 1), 0)
    expect(table.join(info('CCCCCC'), head('CCCCCC', 1), 0)).toBe(false)
    table.hear(head('BBBBBB', 2), 50)
    expect(table.silentSince(10)).toEqual([info('AAAAAA')])
    table.restart(100)
    expect(table.silentSince(100)).toEqual([])
    expect(table.remove('AAAAAA')).toEqual(info('AAAAAA'))
    expect(table.list()).toEqual([info('BBBBBB')])
  })
})

describe('the questions who a host is', () => {
  it('are answered once, in time, and by whom they were put to', () => {
    const nonces = newNonces()
    const nonce = nonces.ask('AAAAAA', 0) ?? ''
    expect(nonces.ask('AAAAAA', 5)).toBeUndefined()
    expect(nonces.ask('AAAAAA', 15)).toBe(nonce)
    expect(nonces.redeem('BBBBBB', nonce, 20)).toBe(false)
    expect(nonces.redeem('AAAAAA', nonce, 20)).toBe(true)
    expect(nonces.redeem('AAAAAA', nonce, 20)).toBe(false)
    const late = nonces.ask('AAAAAA', 30) ?? ''
    expect(nonces.redeem('AAAAAA', late, 131)).toBe(false)
  })

  it('to all are answered once by each', () => {
    const nonces = newNonces()
    const nonce = nonces.askAll(0)
    expect(nonces.redeem('AAAAAA', nonce, 1)).toBe(true)
    expect(nonces.redeem('BBBBBB', nonce, 1)).toBe(true)
    expect(nonces.redeem('AAAAAA', nonce, 1)).toBe(false)
    nonces.askAll(2)
    expect(nonces.redeem('CCCCCC', nonce, 3)).toBe(false)
  })

  it('are bounded', () => {
    const nonces = newNonces()
    for (let index = 0; index < 5_000; index += 1) nonces.ask(`host ${index}`, 0)
    expect(nonces.ask('one more', 50)).toBeUndefined()
    expect(nonces.ask('one more', 200)).toBeDefined()
  })
})

describe('hearing', () => {
  it('is proven by what comes back, lost by silence, and waited for by number', async () => {
    const hearing = new HostHearing(100, 0)
    expect([hearing.hears, hearing.check(1_000)]).toEqual([false, false])
    const waited = hearing.echoOf(3).then(() => 'third')
    expect(hearing.echo(2, 10)).toBe(true)
    expect(hearing.echo(2, 20)).toBe(false)
    expect(hearing.echo(4, 30)).toBe(false)
    expect(await waited).toBe('third')
    expect(hearing.check(130)).toBe(false)
    expect(hearing.check(131)).toBe(true)
    expect(hearing.check(140)).toBe(false)
    expect(hearing.echo(4, 150)).toBe(false)
    expect(hearing.echo(5, 150)).toBe(true)
  })
})
