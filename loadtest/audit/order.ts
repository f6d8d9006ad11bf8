/** The interface of the order checks of one room. */
import type { MemberRecord } from '../model/delivery-records.ts'

/** A record's keys as indexes of the room's sends, in order of delivery; -1: not one of them. */
export type Places = Int32Array

export interface ShownRecord {
  record: MemberRecord
  places: Places
}

export interface Order {
  /** `afresh`: start without this member's earlier deliveries. */
  begin(shown: ShownRecord, afresh: boolean): void
  /** Takes the next first-time delivery. @param at position in the record */
  take(index: number, at: number): void
  /** Result of the last `take`. */
  readonly misplaced: boolean
  readonly differs: boolean
  /** What is wrong with the last `take`, as the end of a sentence. */
  reason(): string
}
