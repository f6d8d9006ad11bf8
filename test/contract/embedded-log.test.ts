import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { openEmbeddedLog } from '../../src/log/embedded-log.ts'
import { openEmbeddedReader } from '../../src/log/embedded-reader.ts'
import type { RoomLogReader } from '../../src/log/room-log.ts'
import type { MakeLog } from './log-under-test.ts'
import { describeRoomLog } from './room-log-suite.ts'

const makeLog: MakeLog = async ({ retention, clock, canJudgeAges, roomsPerUser }) => {
  const directory = await mkdtemp(join(tmpdir(), 'rookery-log-'))
  const logger = pino({ level: 'silent' })
  const log = await openEmbeddedLog({
    directory,
    retention,
    clock,
    canJudgeAges,
    logger,
    registry: new Registry(),
    limits: { roomsPerUser },
  })
  const readers: RoomLogReader[] = []
  let disposed = false
  return {
    log,
    openReader: async () => {
      const reader = await openEmbeddedReader({ directory })
      readers.push(reader)
      return reader
    },
    trimAged: async () => {
      while (!(await log.sweep()).done);
    },
    dispose: async () => {
      if (disposed) return
      disposed = true
      for (const reader of readers) await reader.close()
      await log.close()
      await rm(directory, { recursive: true })
    },
  }
}

describeRoomLog('the embedded log', makeLog, { allInOrder: true })
