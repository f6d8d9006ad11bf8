import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { networkTest } from '../../src/core/networks.ts'
import { readProxyHeader } from '../../src/core/proxy-header.ts'

const SIGNATURE = '0d0a0d0a000d0a515549540a'
const text = (line: string) => Buffer.from(line, 'latin1')
const hex = (bytes: string) => Buffer.from(SIGNATURE + bytes, 'hex')
const complete = (header: Buffer, client?: { address: string; port: number }) => [header, client] as const

const valid = [
  complete(text('PROXY TCP4 192.0.2.1 198.51.100.2 51000 443\r\n'), { address: '192.0.2.1', port: 51_000 }),
  complete(text('PROXY TCP4 255.255.255.255 255.255.255.255 65535 0\r\n'), {
    address: '255.255.255.255',
    port: 65_535,
  }),
  complete(text('PROXY TCP6 2001:DB8:0:0::1 ::1 1 2\r\n'), { address: '2001:db8::1', port: 1 }),
  complete(text(`PROXY TCP6 ${'ffff:'.repeat(7)}ffff ${'ffff:'.repeat(7)}ffff 65535 65535\r\n`), {
    address: `${'ffff:'.repeat(7)}ffff`,
    port: 65_535,
  }),
  complete(text('PROXY UNKNOWN\r\n')),
  complete(text('PROXY UNKNOWN anything at all \0\xff\r\n')),
  complete(hex('2111000cc0000201c6336402c73801bb'), { address: '192.0.2.1', port: 51_000 }),
  // With an extension of 3 bytes.
  complete(hex('21110012c0000201c6336402c73801bb040003616263'), { address: '192.0.2.1', port: 51_000 }),
  complete(hex(`21210024${'20010db8'.padEnd(31, '0')}1${'0'.repeat(31)}1c73801bb`), {
    address: '2001:db8::1',
    port: 51_000,
  }),
  // LOCAL, with and without what it may carry; no address; a Unix socket; UDP.
  complete(hex('20000000')),
  complete(hex('2011000cc0000201c6336402c73801bb')),
  complete(hex('21000000')),
  complete(hex(`213100d8${'00'.repeat(216)}`)),
  complete(hex('2112000cc0000201c6336402c73801bb')),
] as const

describe.each(valid)('%j', (header, client) => {
  test('is read, whatever follows', () => {
    const expected = { state: 'complete', client, headerBytes: header.length }
    expect(readProxyHeader(header)).toEqual(expected)
    expect(readProxyHeader(Buffer.concat([header, text('GET / HTTP/1.1\r\n\r\n')]))).toEqual(expected)
  })

  test('is partial at every shorter length', () => {
    for (let length = 0; length < header.length; length += 1) {
      expect(readProxyHeader(header.subarray(0, length))).toEqual({ state: 'partial' })
    }
  })
})

test.each([
  'PROXY \r\n',
  'PROXY TCP4\r\n',
  'PROXY TCP4 192.0.2.1 198.51.100.2 51000\r\n',
  'PROXY TCP4 192.0.2.1 198.51.100.2 51000 443 \r\n',
  'PROXY  TCP4 192.0.2.1 198.51.100.2 51000 443\r\n',
  'PROXY TCP4 192.0.2.1 198.51.100.2 51000 443\n\r\n',
  'PROXY TCP4 192.0.2.256 198.51.100.2 51000 443\r\n',
  'PROXY TCP4 192.0.2.01 198.51.100.2 51000 443\r\n',
  'PROXY TCP4 192.0.2.1 ::1 51000 443\r\n',
  'PROXY TCP4 192.0.2.1 198.51.100.2 65536 443\r\n',
  'PROXY TCP4 192.0.2.1 198.51.100.2 051 443\r\n',
  'PROXY TCP4 192.0.2.1 198.51.100.2 -1 443\r\n',
  'PROXY TCP6 192.0.2.1 ::1 1 2\r\n',
  'PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n',
  'PROXY UDP4 192.0.2.1 198.51.100.2 51000 443\r\n',
  'PROXY UNKNOWNX\r\n',
  'PROXY tcp4 192.0.2.1 198.51.100.2 51000 443\r\n',
  `PROXY UNKNOWN ${'x'.repeat(93)}`,
])('%j is refused', (line) => {
  expect(readProxyHeader(text(line))).toEqual({ state: 'refused' })
})

test.each([
  ['version 1', '1111000cc0000201c6336402c73801bb'],
  ['an unknown command', '2211000c'],
  ['an unknown family', '21410000'],
  ['an unknown transport', '21130000'],
  ['too few bytes for the addresses', '2111000b'],
  ['too few bytes for IPv6', '21210023'],
  ['more than is read', '21111001'],
])('a binary header with %s is refused', (_, bytes) => {
  expect(readProxyHeader(hex(bytes))).toEqual({ state: 'refused' })
})

test.each([
  'GET / HTTP/1.1\r\n',
  'POST',
  'PROPFIND /',
  'PRI * HTTP/2.0',
  '\r\nGET',
  '\r\n\r\n\0\r\nQUIT\r',
  'X',
  '\0',
])('%j is no header', (bytes) => {
  expect(readProxyHeader(text(bytes))).toEqual({ state: 'absent' })
})

test('what is written is read', () => {
  const end = fc.record({ address: fc.ipV4(), port: fc.integer({ min: 0, max: 65_535 }) })
  fc.assert(
    fc.property(end, end, fc.uint8Array({ maxLength: 40 }), (from, to, rest) => {
      const line = text(`PROXY TCP4 ${from.address} ${to.address} ${from.port} ${to.port}\r\n`)
      const binary = Buffer.alloc(28)
      hex('2111000c').copy(binary)
      for (const [at, { address, port }] of [from, to].entries()) {
        Buffer.from(address.split('.').map(Number)).copy(binary, 16 + 4 * at)
        binary.writeUInt16BE(port, 24 + 2 * at)
      }
      for (const header of [line, binary]) {
        const bytes = Buffer.concat([header, rest])
        expect(readProxyHeader(bytes)).toEqual({
          state: 'complete',
          client: from,
          headerBytes: header.length,
        })
      }
    }),
  )
})

test('no bytes throw, more bytes change no decision, and nobody waits for ever', () => {
  const beginnings = fc.constantFrom(text(''), text('PROXY '), text('PROXY TCP4 1.2.3.4'), hex(''), hex('21'))
  fc.assert(
    fc.property(beginnings, fc.uint8Array({ maxLength: 300 }), (beginning, rest) => {
      const bytes = Buffer.concat([beginning, rest])
      let decided: ReturnType<typeof readProxyHeader> | undefined
      for (let length = 0; length <= bytes.length; length += 1) {
        const progress = readProxyHeader(bytes.subarray(0, length))
        if (decided !== undefined) expect(progress).toEqual(decided)
        else if (progress.state !== 'partial') decided = progress
      }
      const endless = Buffer.concat([bytes, Buffer.alloc(5_000, 'x')])
      expect(readProxyHeader(endless).state).not.toBe('partial')
    }),
  )
})

test.each([
  ['10.1.2.3', true],
  ['10.2.0.1', false],
  ['192.0.2.1', true],
  ['192.0.2.2', false],
  ['::ffff:10.1.2.3', true],
  ['fd00::1', true],
  ['fe80::1', false],
  ['', false],
  [undefined, false],
])('%j is in the networks: %j', (address, isIn) => {
  expect(networkTest(['10.1.0.0/16', '192.0.2.1', 'fd00::/8'])(address)).toBe(isIn)
  expect(networkTest([])(address)).toBe(false)
})
