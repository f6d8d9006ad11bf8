/** The log that the suite tests, and the messages that it writes. */
import { expect } from 'vitest'
import type { RoomLog, RoomLogReader } from '../../src/log/room-log.ts'
import type { MessageDraft } from '../../src/wire/entry.ts'

export interface LogTerms {
  retention: { messages: number; days: number }
  clock: () => number
  canJudgeAges: () => boolean
  roomsPerUser: number
}

export interface LogUnderTest {
  log: RoomLog
  /** A second access to the log, as another process has it. */
  openReader: () => Promise<RoomLogReader>
  /** Removes expired entries now instead of some time later. */
  trimAged: () => Promise<void>
  dispose: () => Promise<void>
}

export type MakeLog = (terms: LogTerms) => Promise<LogUnderTest>
export type OpenLog = (terms?: Partial<LogTerms>) => Promise<LogUnderTest>

export const ann = { id: 'ann', name: 'Ann' }
export const bob = { id: 'bob', name: 'Bob' }
export const text = (id: string, words = `words of ${id}`, from = ann): MessageDraft => ({
  kind: 'text',
  id,
  from,
  text: words,
})
export const edit = (id: string, target: number, words = `words of ${id}`, from = ann): MessageDraft => ({
  kind: 'edit',
  id,
  from,
  target,
  text: words,
})
export const remove = (id: string, target: number, from = ann): MessageDraft => ({
  kind: 'remove',
  id,
  from,
  target,
})
export const own = (id: string, data?: unknown, from = ann, kind = 'doc:stroke'): MessageDraft => ({
  kind,
  id,
  from,
  ...(data !== undefined && { data }),
})
export const refused = (code: string) => expect.objectContaining({ name: 'RookeryError', code })
