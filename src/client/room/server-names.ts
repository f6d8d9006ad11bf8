/**
 * The names that the server has for rooms which were joined under another spelling: `#More` is `#more`. Here a room keeps
 * the name that it was joined under.
 */
import { foldedRoom } from '../../wire/room-names.ts'

export class ServerNames {
  /** By the name used here. Only those that differ. */
  readonly #names = new Map<string, string>()

  of(room: string): string {
    return this.#names.get(room) ?? room
  }

  /** @returns whether the server may call the room so */
  learn(room: string, serverName: string): boolean {
    if (serverName === room) this.#names.delete(room)
    else if (serverName === foldedRoom(room)) this.#names.set(room, serverName)
    else return false
    return true
  }

  forget(room: string): void {
    this.#names.delete(room)
  }

  /** The names of joined rooms that are this room of the server. Usually one, or none. */
  joinedAs(serverName: string, joined: ReadonlyMap<string, unknown>): string[] {
    const names = joined.has(serverName) && this.of(serverName) === serverName ? [serverName] : []
    for (const [room, known] of this.#names) if (known === serverName && joined.has(room)) names.push(room)
    return names
  }
}
