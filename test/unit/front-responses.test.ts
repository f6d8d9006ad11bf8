import { expect, test } from 'vitest'
import { renderResponse } from '../../src/primary/front-door/responses.ts'

const unavailable = { status: 503, body: { reason: 'überfüllt' }, retryAfterSeconds: 2 }

test('a response counts its bytes, not its characters, and closes', () => {
  expect(renderResponse(unavailable, 'GET')).toBe(
    'HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: 25\r\n' +
      'Cache-Control: no-store\r\nConnection: close\r\nRetry-After: 2\r\n\r\n{"reason":"überfüllt"}\n',
  )
})

test('HEAD gets the same head and no body', () => {
  const [head = ''] = renderResponse(unavailable, 'GET').split('{')
  expect(renderResponse(unavailable, 'HEAD')).toBe(head)
})
