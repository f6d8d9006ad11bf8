/** How far the rooms' logs have come, as far as the clients of this process know from acks. */
export class RoomHeads {
  readonly #heads = new Map<string, number>()

  /** 0: nothing is known. */
  of(room: string): number {
    return this.#heads.get(room) ?? 0
  }

  reached(room: string, seq: number): void {
    if (seq > this.of(room)) this.#heads.set(room, seq)
  }

  /** The log is another. */
  forget(room: string): void {
    this.#heads.delete(room)
  }
}
