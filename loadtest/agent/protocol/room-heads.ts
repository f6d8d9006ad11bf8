/** The heads of the rooms' logs, as far as this process knows them from acks. */
export class RoomHeads {
  readonly #heads = new Map<string, number>()

  /** 0: unknown. */
  of(room: string): number {
    return this.#heads.get(room) ?? 0
  }

  reached(room: string, seq: number): void {
    if (seq > this.of(room)) this.#heads.set(room, seq)
  }

  /** The log was replaced. */
  forget(room: string): void {
    this.#heads.delete(room)
  }
}
