/**
 * Imports the lines of an exported log. Each line is checked before it is stored. A room becomes visible when
 * it is complete. Rooms that have entries already, and the markers in them, are left unchanged.
 */
import { LineTooLong } from '../../core/lines.ts'
import type {
  EntryLine,
  ExportLine,
  LogTarget,
  RoomImport,
  RoomLine,
  TransferCounts,
  UserLine,
} from './lines.ts'
import { exportLine } from './lines.ts'

const BATCH_ENTRIES = 500

export interface ImportOptions {
  target: LogTarget
  /** The file, line by line. */
  lines: AsyncIterable<Buffer>
  onProgress: (counts: Readonly<TransferCounts>) => void
}

export interface ImportOutcome extends TransferCounts {
  /** Rooms that had entries already. */
  skipped: string[]
}

/** The file is invalid; nothing of the room with the error is stored. */
export class ImportError extends Error {
  constructor(lineNumber: number, problem: string) {
    super(`line ${lineNumber}: ${problem}`)
    this.name = 'ImportError'
  }
}

export async function importLog(options: ImportOptions): Promise<ImportOutcome> {
  const importer = new Importer(options)
  let lineNumber = 0
  try {
    for await (const bytes of options.lines) {
      lineNumber += 1
      await importer.take(parse(bytes))
    }
    importer.checkEnd()
  } catch (error) {
    await importer.abandon()
    if (error instanceof LineTooLong) throw new ImportError(lineNumber + 1, error.message)
    if (error instanceof Problem) throw new ImportError(Math.max(1, lineNumber), error.message)
    throw error
  }
  return importer.outcome
}

class Problem extends Error {}

interface OpenRoom {
  line: RoomLine
  /** `null` if the room is skipped. */
  writer: RoomImport | null
  next: number
  batch: EntryLine[]
}

class Importer {
  readonly outcome: ImportOutcome = { rooms: 0, entries: 0, users: 0, skipped: [] }
  readonly #options: ImportOptions
  readonly #read: TransferCounts = { rooms: 0, entries: 0, users: 0 }
  readonly #skipped = new Set<string>()
  #room: OpenRoom | null = null
  #expects: 'header' | 'rooms' | 'users' | 'nothing' = 'header'

  constructor(options: ImportOptions) {
    this.#options = options
  }

  async take(line: ExportLine): Promise<void> {
    if (this.#expects === 'nothing') throw new Problem('there is more after the end')
    if ((line.type === 'header') !== (this.#expects === 'header'))
      throw new Problem(line.type === 'header' ? 'a second header' : 'a log starts with its header')
    switch (line.type) {
      case 'header':
        this.#expects = 'rooms'
        return undefined
      case 'room':
        return this.#begin(line)
      case 'entry':
        return this.#entry(line)
      case 'user':
        return this.#user(line)
      case 'end':
        return this.#end(line)
    }
  }

  checkEnd(): void {
    if (this.#expects !== 'nothing') throw new Problem('the file was cut off: its end is missing')
  }

  async abandon(): Promise<void> {
    await this.#room?.writer?.abandon()
  }

  async #begin(line: RoomLine): Promise<void> {
    await this.#finishRoom()
    if (this.#expects !== 'rooms') throw new Problem('a room after the users')
    if (line.first > line.head + 1) throw new Problem('first is beyond head')
    const writer = await this.#options.target.begin(line)
    this.#room = { line, writer, next: line.first, batch: [] }
    this.#read.rooms += 1
    if (writer === null) this.#skipped.add(line.room)
  }

  async #entry(line: EntryLine): Promise<void> {
    const room = this.#room
    if (room === null) throw new Problem('an entry without a room')
    if (line.seq !== room.next || line.seq > room.line.head)
      throw new Problem(`entry ${line.seq} of room ${room.line.room} where ${room.next} should be`)
    room.next += 1
    this.#read.entries += 1
    if (room.writer === null) return
    room.batch.push(line)
    if (room.batch.length >= BATCH_ENTRIES) await this.#flush(room, room.writer)
  }

  async #flush(room: OpenRoom, writer: RoomImport): Promise<void> {
    await writer.put(room.batch)
    this.outcome.entries += room.batch.length
    room.batch = []
    this.#options.onProgress(this.outcome)
  }

  async #finishRoom(): Promise<void> {
    const room = this.#room
    if (room === null) return
    if (room.next !== room.line.head + 1)
      throw new Problem(`room ${room.line.room} has entries up to ${room.next - 1}, not ${room.line.head}`)
    if (room.writer !== null) {
      await this.#flush(room, room.writer)
      await room.writer.finish()
      this.outcome.rooms += 1
    }
    this.#room = null
  }

  async #user(line: UserLine): Promise<void> {
    await this.#finishRoom()
    this.#expects = 'users'
    this.#read.users += 1
    const rooms = line.rooms.filter(({ room }) => !this.#skipped.has(room))
    if (rooms.length > 0) await this.#options.target.putUser({ ...line, rooms })
    this.outcome.users += 1
    this.#options.onProgress(this.outcome)
  }

  async #end(line: TransferCounts): Promise<void> {
    await this.#finishRoom()
    this.#expects = 'nothing'
    this.outcome.skipped = [...this.#skipped]
    for (const what of ['rooms', 'entries', 'users'] as const) {
      if (line[what] !== this.#read[what])
        throw new Problem(`the file should have ${line[what]} ${what}, and has ${this.#read[what]}`)
    }
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

function parse(bytes: Buffer): ExportLine {
  const parsed = exportLine.safeParse(toJson(bytes))
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new Problem(`${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trim())
}

function toJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(utf8.decode(bytes))
  } catch (error) {
    throw new Problem(`not JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
}
