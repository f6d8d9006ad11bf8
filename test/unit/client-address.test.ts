import { expect, test } from 'vitest'
import { serverAddress } from '../../src/client/connection/address.ts'

test.each([
  [undefined, undefined, undefined],
  ['', undefined, undefined],
  ['/', undefined, undefined],
  ['http://localhost:3000', 'http://localhost:3000', undefined],
  ['http://localhost:3000/', 'http://localhost:3000', undefined],
  ['https://example.org/chat', 'https://example.org', '/chat/socket.io/'],
  ['https://example.org/chat/', 'https://example.org', '/chat/socket.io/'],
  ['https://example.org/a/b//', 'https://example.org', '/a/b/socket.io/'],
  ['https://example.org/chat/?tenant=a/b', 'https://example.org?tenant=a/b', '/chat/socket.io/'],
  ['wss://[::1]:3000/chat/', 'wss://[::1]:3000', '/chat/socket.io/'],
  ['//example.org/chat/', '//example.org', '/chat/socket.io/'],
  ['localhost:3000', 'localhost:3000', undefined],
  ['localhost:3000/chat/', 'localhost:3000', '/chat/socket.io/'],
  ['/chat/', undefined, '/chat/socket.io/'],
  ['/chat/?tenant=a', '/?tenant=a', '/chat/socket.io/'],
])('%j is at %j, with Socket.IO at %j', (url, uri, path) => {
  expect(serverAddress(url)).toEqual({ uri, path })
})

test.each([
  [undefined, '/rooms', undefined],
  ['http://localhost:3000', 'http://localhost:3000/rooms', undefined],
  ['https://example.org/chat/?tenant=a', 'https://example.org/rooms?tenant=a', '/chat/socket.io/'],
  ['/chat/?tenant=a', '/rooms?tenant=a', '/chat/socket.io/'],
])('a namespace at %j is at %j, with Socket.IO at %j', (url, uri, path) => {
  expect(serverAddress(url, '/rooms')).toEqual({ uri: uri ?? '/rooms', path })
})
