/**
 * Finds the room that a request names. Names are folded (`#More` is `#more`), but a room that has messages under a name in
 * capitals, from before names were folded, keeps that name. Nothing new is ever written under such a name.
 */
import type { Rooms } from '../../wire/app.ts'
import { isDirect } from '../../wire/chat-direct.ts'
import { foldedRoom } from '../../wire/room-names.ts'
import type { Session } from '../session.ts'

const REMEMBERED_MAX = 1_000
/** A host of an earlier version may still write under a name in capitals. */
const REMEMBERED_MS = 60_000

interface Found {
  name: string
  at: number
}

export class RoomNames {
  readonly #rooms: Pick<Rooms, 'read'>
  /** The oldest first. */
  readonly #found = new Map<string, Found>()

  constructor(rooms: Pick<Rooms, 'read'>) {
    this.#rooms = rooms
  }

  /**
   * At once for a folded name. Otherwise the log may be asked: that counts as a page, and requests for the same room keep
   * their order.
   */
  of(session: Session, asked: string): string | Promise<string> {
    const finding = session.finding.get(asked)
    if (finding !== undefined) return finding
    const known = this.#known(asked)
    if (known !== undefined) return known
    const found = session.runPageRequest(() => this.find(asked)).finally(() => session.finding.delete(asked))
    session.finding.set(asked, found)
    return found
  }

  async find(asked: string): Promise<string> {
    const known = this.#known(asked)
    if (known !== undefined) return known
    const { head } = await this.#rooms.read(asked, { newest: true, limit: 1 })
    const name = head > 0 ? asked : foldedRoom(asked)
    this.#remember(asked, name)
    return name
  }

  #known(asked: string): string | undefined {
    if (!isEarlierName(asked)) return asked
    const found = this.#found.get(asked)
    return found !== undefined && performance.now() - found.at < REMEMBERED_MS ? found.name : undefined
  }

  #remember(asked: string, name: string): void {
    this.#found.delete(asked)
    this.#found.set(asked, { name, at: performance.now() })
    const [oldest] = this.#found.keys()
    if (this.#found.size > REMEMBERED_MAX && oldest !== undefined) this.#found.delete(oldest)
  }
}

/** In capitals: only rooms of before have such a name. */
export function isEarlierName(room: string): boolean {
  return !isDirect(room) && foldedRoom(room) !== room
}
