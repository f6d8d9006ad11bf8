import { describe, expect, it } from 'vitest'
import { createLogger, type Logger } from '../../src/ops/logger.ts'

function capture(level = 'info'): { logger: Logger; lines: () => Record<string, unknown>[] } {
  const written: string[] = []
  const stream = { write: (text: string) => void written.push(text) }
  const logger = createLogger({ level, format: 'json', bindings: { host: 'a', worker: 'w1' }, stream })
  return { logger, lines: () => written.map((text) => JSON.parse(text)) }
}

describe('a line of the log', () => {
  it('is one JSON object with the level by name, an ISO time and its source', () => {
    const { logger, lines } = capture()
    logger.child({ room: 'r' }).info({ n: 1 }, 'hello\nworld')
    const [line] = lines()
    expect(line).toMatchObject({
      level: 'info',
      pid: process.pid,
      host: 'a',
      worker: 'w1',
      room: 'r',
      n: 1,
      msg: 'hello\nworld',
    })
    expect(new Date(String(line?.['time'])).toISOString()).toBe(line?.['time'])
  })

  it('is left out below the level', () => {
    const { logger, lines } = capture('warn')
    logger.info('no')
    logger.warn('yes')
    expect(lines()).toHaveLength(1)
  })

  it.each([
    { token: 'hunter2' },
    { auth: { token: 'hunter2' } },
    { handshake: { auth: { key: 'hunter2' } } },
    { socket: { handshake: { auth: 'hunter2' } } },
    { headers: { authorization: 'Bearer hunter2' } },
    { req: { headers: { cookie: 'hunter2' } } },
    { config: { jwtSecret: 'hunter2', apiKey: 'hunter2', redisUrl: 'redis://:hunter2@r' } },
    { linkSecret: 'hunter2', password: 'hunter2' },
  ])('hides secrets in %j', (fields) => {
    const { logger, lines } = capture()
    logger.info(fields, 'x')
    logger.child(fields).info('y')
    expect(lines()).toHaveLength(2)
    expect(JSON.stringify(lines())).toContain('[hidden]')
    expect(JSON.stringify(lines())).not.toContain('hunter2')
  })
})
