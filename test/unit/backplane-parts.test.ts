import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Opened } from '../../src/primary/backplane/envelope.ts'
import { open, seal, startOf } from '../../src/primary/backplane/envelope.ts'
import { HostTable } from '../../src/primary/backplane/host-table.ts'
import { LoopbackProbe } from '../../src/primary/backplane/loopback-probe.ts'
import { ChallengeNonces } from '../../src/primary/backplane/nonces.ts'
import type { SigningKeys } from '../../src/redis/signing.ts'
import type { HostMessage } from '../../src/wire/host-messages.ts'

const newNonces = () => {
  let drawn = 0
  return new ChallengeNonces({ draw: () => `nonce ${(drawn += 1)}`, validMs: 100, askAgainMs: 10 })
}

const info = (host: string) => ({ host, name: `name of ${host}`, forwardTo: undefined })
const head = (host: string, n: number, base = 0, to = 'topic') => ({ host, n, base, to })

describe('an envelope', () => {
  const keys: SigningKeys = { cluster: 'c', secrets: ['one'] }
  const message = {
    type: 'publication' as const,
    from: 'w1',
    topics: ['e:/', 'ü€𝄞'],
    grants: [],
    body: Buffer.from([0, 1, 255]),
  }

  it('carries a message unchanged, signed or not', () => {
    for (const sealedWith of [undefined, keys]) {
      for (const body of [message.body, Buffer.from('{"line":\n1}\n'), Buffer.alloc(0)]) {
        const bytes = seal(head('AAAAAA', 3, 1), { ...message, body }, sealedWith)
        const opened = open(bytes, sealedWith) as Opened
        expect(opened).toMatchObject({ host: 'AAAAAA', n: 3, base: 1, to: 'topic' })
        expect(opened.content).toEqual({ kind: 'message', message: { ...message, body } })
      }
    }
  })

  it('carries a message without a body, with any texts', () => {
    const present: HostMessage = {
      type: 'present',
      rooms: [
        { room: 'den', version: 2, members: [{ id: 'a', name: 'lone \ud800, "quoted"\n' }], more: false },
      ],
    }
    expect(open(seal(head('AAAAAA', 1), present, keys), keys)).toMatchObject({
      content: { message: present },
    })
    expect(open(seal(head('AAAAAA', 1), { type: 'beat' }))).toMatchObject({
      content: { control: { type: 'beat' } },
    })
  })

  it('is readable, and starts like the other envelopes of its host', () => {
    const sealed = seal(head('AAAAAA', 3, 1), message)
    const start = startOf('AAAAAA')
    expect(sealed.subarray(0, start.length)).toEqual(start)
    expect(JSON.parse(String(sealed).split('\n')[0] ?? '')).toMatchObject({
      message: { topics: ['e:/', 'ü€𝄞'] },
    })
  })

  it('is refused when any of its bytes has changed, or when it is not signed', () => {
    const sealed = seal(head('AAAAAA', 3, 1), message, keys)
    for (let at = 0; at < sealed.length; at += 1) {
      const changed = Buffer.from(sealed)
      changed[at] = (sealed[at] ?? 0) ^ 1
      // The last character of a signature has two unused bits.
      if (at < sealed.length - 1) expect(open(changed, keys)).toBeTypeOf('string')
    }
    expect(open(Buffer.from(String(sealed).replace('"n":3', '"n":4')), keys)).toBe('forged')
    for (const cut of [1, 5]) expect(open(sealed.subarray(0, -cut), keys)).toBe('forged')
    expect(open(seal(head('AAAAAA', 3, 1), message), keys)).toBe('unsigned')
    expect(open(sealed, { ...keys, cluster: 'another' })).toBe('forged')
    expect(open(sealed, { ...keys, secrets: ['two', 'one'] })).toMatchObject({ n: 3 })
  })

  it('is refused with a reason, for any input', () => {
    const reasons = ['unreadable', 'envelope', 'message']
    const line = { host: 'AAAAAA', n: 1, base: 0, to: 'all' }
    for (const odd of [
      { ...line, message: { type: 'publication', from: 'w1', topics: [], grants: [] } },
      { ...line, bytes: 5, message: { type: 'send', from: 'w1', to: 'w1' } },
      { ...line, bytes: -1, message: { type: 'beat' } },
    ])
      expect(reasons).toContain(open(Buffer.from(JSON.stringify(odd))))
    fc.assert(
      fc.property(fc.json(), (json) => {
        expect(reasons).toContain(open(Buffer.from(json)))
      }),
    )
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(reasons).toContain(open(Buffer.from(bytes)))
      }),
    )
  })
})

describe('the table of hosts', () => {
  it('distinguishes new messages, repeated ones, and possible losses', () => {
    const table = new HostTable(10)
    expect(table.receive(head('AAAAAA', 1), 0)).toBe('unknown')
    expect(table.join(info('AAAAAA'), head('AAAAAA', 5, 2), 0)).toBe(true)
    expect(table.receive(head('AAAAAA', 5, 2), 0)).toBe('replayed')
    expect(table.receive(head('AAAAAA', 9, 2), 0)).toBe('fine')
    expect(table.receive(head('AAAAAA', 8, 2), 0)).toBe('replayed')
    expect(table.receive(head('AAAAAA', 10, 3, 'all'), 0)).toBe('fine')
    expect(table.receive(head('AAAAAA', 11, 5, 'all'), 0)).toBe('gap')
    expect(table.receive(head('AAAAAA', 12, 5), 0)).toBe('fine')
    expect(table.receive(head('AAAAAA', 13, 6), 0)).toBe('gap')
  })

  it('finds silent hosts, but not for a time when no host could be received', () => {
    const table = new HostTable(2)
    table.join(info('AAAAAA'), head('AAAAAA', 1), 0)
    table.join(info('BBBBBB'), head('BBBBBB', 1), 0)
    expect(table.join(info('CCCCCC'), head('CCCCCC', 1), 0)).toBe(false)
    table.receive(head('BBBBBB', 2), 50)
    expect(table.silentSince(10)).toEqual([info('AAAAAA')])
    table.restart(100)
    expect(table.silentSince(100)).toEqual([])
    expect(table.remove('AAAAAA')).toEqual(info('AAAAAA'))
    expect(table.list()).toEqual([info('BBBBBB')])
  })

  it('keeps what a host said of itself, and since when', () => {
    const table = new HostTable(2)
    const status = { state: 'ok', workers: 2, connections: 3 } as const
    table.tell('AAAAAA', status, 0)
    table.join(info('AAAAAA'), head('AAAAAA', 1), 0)
    const { name } = info('AAAAAA')
    expect(table.reports(5)).toEqual([{ name, status: undefined, ageMs: 0 }])
    table.tell('AAAAAA', status, 10)
    expect(table.reports(25)).toEqual([{ name, status, ageMs: 15 }])
  })
})

describe('identity challenges to hosts', () => {
  it('are answered once, in time, and by the host that they were sent to', () => {
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

  it('to all hosts are answered once by each', () => {
    const nonces = newNonces()
    const nonce = nonces.askAll(0)
    expect(nonces.redeem('AAAAAA', nonce, 1)).toBe(true)
    expect(nonces.redeem('BBBBBB', nonce, 1)).toBe(true)
    expect(nonces.redeem('AAAAAA', nonce, 1)).toBe(false)
    nonces.askAll(2)
    expect(nonces.redeem('CCCCCC', nonce, 3)).toBe(false)
  })

  it('are limited in number', () => {
    const nonces = newNonces()
    for (let index = 0; index < 5_000; index += 1) nonces.ask(`host ${index}`, 0)
    expect(nonces.ask('one more', 50)).toBeUndefined()
    expect(nonces.ask('one more', 200)).toBeDefined()
  })
})

describe('probe', () => {
  it('succeeds with an echo, fails by silence, and can be awaited by number', async () => {
    const probe = new LoopbackProbe(100, 0)
    expect([probe.isReceiving, probe.check(1_000)]).toEqual([false, false])
    const waited = probe.echoOf(3).then(() => 'third')
    expect(probe.echo(2, 10)).toBe(true)
    expect(probe.echo(2, 20)).toBe(false)
    expect(probe.echo(4, 30)).toBe(false)
    expect(await waited).toBe('third')
    expect(probe.check(130)).toBe(false)
    expect(probe.check(131)).toBe(true)
    expect(probe.check(140)).toBe(false)
    expect(probe.echo(4, 150)).toBe(false)
    expect(probe.echo(5, 150)).toBe(true)
  })
})
