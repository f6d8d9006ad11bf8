/**
 * The LMDB environment that holds the embedded room log: how it is opened, its tables, and what lies in them. Writer
 * and readers share it. It decides nothing about messages.
 *
 * Durable before visible: lmdb-js shows a commit before it is flushed unless `overlappingSync` is off. With it off, a
 * commit is LMDB's own: fdatasync of the pages, then the meta page through an O_DSYNC descriptor, and only then the new
 * transaction number that readers look at.
 */
import { closeSync, existsSync, fstatSync, ftruncateSync, mkdirSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { type Database, open, type RootDatabase } from 'lmdb'
import { lmdbExtentBytes, lmdbTransaction, META_BYTES } from './lmdb-meta.ts'

/** What a room's log is known by as a whole. Stays when every entry has been trimmed, so that numbering goes on. */
export interface RoomRecord {
  head: number
  /** Oldest entry kept; `head + 1` when none is. */
  first: number
  /** `at` of the newest entry. */
  at: number
  /** Texts ever appended. */
  texts: number
  /** Of these, texts that retention has trimmed. */
  trimmedTexts: number
  /** Of a room that came from another log; without it the log's own. */
  epoch?: string
}

/** An entry without what its key says already. */
export interface StoredEntry {
  id: string
  kind: 'text' | 'edit' | 'remove'
  from: { id: string; name: string }
  text?: string
  target?: number
  at: number
  /** Texts of the room up to and with this entry. */
  texts: number
}

/** The first answer to a message id. `digest` is of what was said, and outlives a blanked text. */
export interface StoredId {
  seq: number
  at: number
  digest: string
}

/** Keys are lmdb-js's ordered binary arrays: elements are escaped and delimited, so no two keys can run together. */
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

/** Sorts after every room name: names end at `z`. */
export const AFTER_ROOM_NAMES = '\x7f'

const DATA_FILE = 'data.mdb'
const DAMAGED = `${DATA_FILE} is damaged: it does not start like a log`

/** The writer has not made the environment yet. */
export class LogNotCreated extends Error {
  constructor() {
    super('it does not exist yet')
  }
}

/** One slot a process, and some to spare for those of killed processes that have not been reaped yet. */
const READER_SLOTS = 512

const options = {
  overlappingSync: false,
  /** Off, because with it on a failed commit leaves a rejected promise inside lmdb-js that nobody can reach. */
  eventTurnBatching: false,
  /** Or a directory with a dot in its name would be taken for a file. */
  noSubdir: false,
  maxReaders: READER_SLOTS,
  maxDbs: 12,
  encoding: 'json' as const,
}

/** Throws what the file system or LMDB says when it can't be opened for writing. */
export function openForWriting(directory: string): Tables {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const padded = padShortFile(join(directory, DATA_FILE))
  return openTables(open({ path: directory, ...options }), padded)
}

/** Throws while the writer has not made the environment yet. */
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

/** Closes again what can't be used. */
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
  // In a read-only environment lmdb-js answers undefined for a table that is not there, whatever its types say.
  const database: Database<V, K> | undefined = root.openDB<V, K>({ name, encoding: 'json' })
  if (database === undefined) throw new LogNotCreated()
  return database
}

/** Of the newest commit, as the data file has it. Throws when it cannot be read. */
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

/** Throws when the file holds something else. One that is missing or empty is for LMDB to fill: a new log. */
function checkFile(file: number): { fileBytes: number; extentBytes: number } {
  const fileBytes = fstatSync(file).size
  if (fileBytes === 0) return { fileBytes, extentBytes: 0 }
  const extentBytes = lmdbExtentBytes(startOf(file))
  if (extentBytes === null) throw new Error(DAMAGED)
  return { fileBytes, extentBytes }
}

/**
 * Touching a mapped page beyond the end of its file kills the process (SIGBUS). A file that is shorter than its meta
 * page says is therefore filled up with zeros, which LMDB tells from a page. It may be short for a good reason (pages
 * that were taken and given back within one transaction are never written) or because somebody truncated it.
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

/** Throws if anything that should be there is not. Only for a file that was found short: it reads all of it. */
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
