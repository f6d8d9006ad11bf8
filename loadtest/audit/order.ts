/** What an order check of one room is told, showing by showing. */
import type { MemberRecord } from '../model/delivery-records.ts'

/** Keys of a record as indexes of the room's sends, in the order of showing; -1: not one of them. */
export type Places = Int32Array

export interface ShownRecord {
  record: MemberRecord
  places: Places
}

export interface Order {
  /** `afresh`: nothing of what this member was shown before stands before it. */
  begin(shown: ShownRecord, afresh: boolean): void
  /**
   * The next message that is shown for the first time.
   * @param at of the record
   */
  take(index: number, at: number): void
  /** Of the last `take`. */
  readonly misplaced: boolean
  readonly differs: boolean
  /** Of the last `take`: what is wrong, as the end of a sentence. */
  reason(): string
}
