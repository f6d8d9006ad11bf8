/**
 * The LMDB environment of the embedded room log: how it is opened, its tables and their records. Shared by
 * writer and readers. Contains no rules about messages.
 *
 * Durable before visible: lmdb-js shows a commit before it is flushed, unless `overlappingSync` is off. With
 * it off, a commit is LMDB's own: fdatasync of the pages, then the meta page through an O_DSYNC descriptor,
 * and only then the new transaction number that readers use.
 */
import { closeSync, existsSync, fstatSync, ftruncateSync, mkdirSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { type Database, open, type RootDatabase } from 'lmdb'
import type { LogEntry } from '../wire/entry.ts'
import { lmdbExtentBytes, lmdbTransaction, META_BYTES } from './lmdb-meta.ts'

/** State of a room's log. Kept when all entries have been trimmed, so that numbering continues. */
export interface RoomRecord {
  head: number
  /** Oldest kept entry; `head + 1` if there is none. */
  first: number
  /** `at` of the newest entry. */
  at: number
  /** Texts ever appended. */
  texts: number
  /** Of these, texts that were trimmed. */
  trimmedTexts: number
  /** Set for a room that was imported; otherwise the log's epoch applies. */
  epoch?: string
}

/** An entry without the fields of its key. */
export interface StoredEntry {
  id: string
  kind: LogEntry['kind']
  from: { id: string; name: string }
  text?: string
  target?: number
  data?: unknown
  at: number
  /** Texts of the room up to and including this entry. */
  texts: number
}

/** The first answer to a message id. `digest` covers the content, and remains when the text is blanked. */
export interface StoredId {
  seq: number
  at: number
  digest: string
}

/** Keys are ordered binary arrays of lmdb-js: elements are escaped and delimited, so keys can't collide. */
export interface Tables {
  root: RootDatabase
  /** Epoch and format. */
  meta: Database<string | number, string>
  rooms: Database<RoomRecord, string>
  entries: Database<StoredEntry, [room: string, seq: number]>
  ids: Database<StoredId, [room: string, userId: string, id: string]>
  /** Edits of a text, for blanking. */
  edits: Database<1, [room: string, target: number, edit: number]>
  /** Texts that were removed, for unread counts. */
  removed: Database<1, [room: string, seq: number]>
  /** A user's own rooms, with the read marker. */
  userRooms: Database<number, [userId: string, room: string]>
}

export const EPOCH_KEY = 'epoch'
export const FORMAT_KEY = 'format'
export const FORMAT = 1

/** Sorts after every room name, by its bytes in UTF-8: it is no character. */
export const AFTER_ROOM_NAMES = '\u{10ffff}'

const DATA_FILE = 'data.mdb'
const DAMAGED = `${DATA_FILE} is damaged: it does not start like a log`

/** The writer has not created the environment yet. */
export class LogNotCreated extends Error {
  constructor() {
    super('it does not exist yet')
  }
}

/** One slot per process, with spare ones for killed processes whose slots have not been freed yet. */
const READER_SLOTS = 512

const options = {
  overlappingSync: false,
  /**
   * Off, because otherwise a failed commit leaves a rejected promise inside lmdb-js that can't be handled.
   */
  eventTurnBatching: false,
  /** Otherwise a directory with a dot in its name would be treated as a file. */
  noSubdir: false,
  maxReaders: READER_SLOTS,
  maxDbs: 12,
  encoding: 'json' as const,
}

/** Throws the error of the file system or of LMDB if it can't be opened for writing. */
export function openForWriting(directory: string): Tables {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const padded = padShortFile(join(directory, DATA_FILE))
  return openTables(open({ path: directory, ...options }), padded)
}

/** Throws while the writer has not created the environment yet. */
export function openForReading(directory: string): Tables {
  const path = join(directory, DATA_FILE)
  if (!existsSync(path)) throw new LogNotCreated()
  const file = openSync(path, 'r')
  try {
    if (checkFile(file).fileBytes === 0) throw new LogNotCreated()
  } finally {
    closeSync(file)
  }
  return openTables(open({ path: directory, readOnly: true, ...options }), false)
}

/** Closes the environment if it can't be used. */
function openTables(root: RootDatabase, suspect: boolean): Tables {
  try {
    const tables: Tables = {
      root,
      meta: table(root, 'meta'),
      rooms: table(root, 'rooms'),
      entries: table(root, 'entries'),
      ids: table(root, 'ids'),
      edits: table(root, 'edits'),
      removed: table(root, 'removed'),
      userRooms: table(root, 'user-rooms'),
    }
    const format = tables.meta.get(FORMAT_KEY)
    if (format !== undefined && format !== FORMAT) throw new Error(`it has format ${format}, not ${FORMAT}`)
    if (suspect) readEverything(tables)
    return tables
  } catch (error) {
    void root.close()
    throw error
  }
}

function table<V, K extends string | (string | number)[]>(root: RootDatabase, name: string): Database<V, K> {
  // In a read-only environment lmdb-js returns undefined for a missing table, although its types say
  // otherwise.
  const database: Database<V, K> | undefined = root.openDB<V, K>({ name, encoding: 'json' })
  if (database === undefined) throw new LogNotCreated()
  return database
}

/** Transaction number of the newest commit in the data file. Throws if it cannot be read. */
export function committedTransaction(directory: string): number {
  const file = openSync(join(directory, DATA_FILE), 'r')
  try {
    const newest = lmdbTransaction(startOf(file))
    if (newest === null) throw new Error(DAMAGED)
    return newest
  } finally {
    closeSync(file)
  }
}

function startOf(file: number): Buffer {
  const bytes = Buffer.alloc(META_BYTES)
  return bytes.subarray(0, readSync(file, bytes, 0, META_BYTES, 0))
}

/** Throws if the file is not an LMDB data file. An empty file is a new log. */
function checkFile(file: number): { fileBytes: number; extentBytes: number } {
  const fileBytes = fstatSync(file).size
  if (fileBytes === 0) return { fileBytes, extentBytes: 0 }
  const extentBytes = lmdbExtentBytes(startOf(file))
  if (extentBytes === null) throw new Error(DAMAGED)
  return { fileBytes, extentBytes }
}

/**
 * Access to a mapped page beyond the end of the file kills the process (SIGBUS). So a file that is shorter
 * than its meta page says is padded with zeros, which LMDB does not take for a page. It may be short for a
 * valid reason (pages allocated and freed within one transaction are never written) or because it was
 * truncated.
 */
function padShortFile(path: string): boolean {
  if (!existsSync(path)) return false
  const file = openSync(path, 'r+')
  try {
    const { fileBytes, extentBytes } = checkFile(file)
    if (fileBytes >= extentBytes) return false
    ftruncateSync(file, extentBytes)
    return true
  } finally {
    closeSync(file)
  }
}

/** Reads the whole file, and throws if something is missing. Only for a file that was too short. */
function readEverything(tables: Tables): void {
  const { root, ...all } = tables
  root.resetReadTxn()
  for (const each of Object.values(all)) {
    const database: Database<unknown> = each
    for (const { value } of database.getRange({})) {
      if (value === undefined) throw new Error('a value is missing: the data file was truncated')
    }
  }
}
