/**
 * How messages are identified. A key is `sender * MAX_SENDS_PER_CLIENT + number`, a whole number that a
 * double holds exactly. The id that travels is `<run>-<sender>-<number>`. The text starts with the time at
 * which the message was due.
 */
import type { AgentRecords } from './agent-protocol.ts'

/** A client sends fewer messages than this in a run. */
export const MAX_SENDS_PER_CLIENT = 2 ** 20

export type MemberRecord = AgentRecords['members'][number]
export type Sends = AgentRecords['sends']

/** The parts from all agents. */
export interface DeliveryRecords {
  parts: readonly AgentRecords[]
}

export const keyOf = (sender: number, number: number): number => sender * MAX_SENDS_PER_CLIENT + number
export const senderOf = (key: number): number => Math.floor(key / MAX_SENDS_PER_CLIENT)
export const numberOf = (key: number): number => key % MAX_SENDS_PER_CLIENT

export const idOf = (run: string, key: number): string => `${run}-${senderOf(key)}-${numberOf(key)}`

/** @returns undefined for an id that this run did not make */
export function keyFromId(run: string, id: string): number | undefined {
  const [, sender, number] = id.startsWith(`${run}-`) ? (/-(\d{1,10})-(\d{1,7})$/.exec(id) ?? []) : []
  if (sender === undefined || number === undefined) return undefined
  const key = keyOf(Number(sender), Number(number))
  return idOf(run, key) === id ? key : undefined
}

/** @param dueAt time of `system/clock.ts` */
export function textOf(dueAt: number, length: number): string {
  return `${dueAt.toFixed(3)};`.padEnd(length, 'x')
}

/** @returns NaN for a text that this tool did not write */
export function dueAtFrom(text: string): number {
  return Number.parseFloat(text.slice(0, text.indexOf(';')))
}
