/** Which clients are cut or leave, and when: drawn from the seed. Pure. */
import type { Churn, ClientSelection } from '../model/plan.ts'
import { type Random, shuffled } from './random.ts'

/** Client indexes, and a time of `system/clock.ts` for each. */
export interface EventTimes {
  clients: readonly number[]
  at: readonly number[]
}

/** @returns the indexes of the selected clients, in ascending order */
export function selectClients(
  selection: ClientSelection,
  clients: readonly { index: number; host: number }[],
  random: Random,
): number[] {
  if (selection === 'all') return clients.map(({ index }) => index)
  if ('host' in selection)
    return clients.filter(({ host }) => host === selection.host).map(({ index }) => index)
  const count = Math.min(clients.length, Math.max(1, Math.round(clients.length * selection.share)))
  const drawn = shuffled(clients, random).slice(0, count)
  return drawn.map(({ index }) => index).toSorted((a, b) => a - b)
}

/** Each at a time of its own within `spreadMs` from `at`; all at `at` if that is 0. */
export function cutTimes(
  clients: readonly number[],
  within: { at: number; spreadMs: number },
  random: Random,
): EventTimes {
  return { clients, at: clients.map(() => within.at + random() * within.spreadMs) }
}

/** At even intervals; no client twice before all others had their turn. */
export function churnTimes(churn: Churn, clients: readonly number[], at: number, random: Random): EventTimes {
  const count = clients.length === 0 ? 0 : Math.round((churn.durationMs * churn.perSec) / 1_000)
  const turns = shuffled(clients, random)
  const places = Array.from({ length: count }, (_, place) => place)
  return {
    clients: places.map((place) => turns[place % turns.length] ?? 0),
    at: places.map((place) => at + (place * 1_000) / churn.perSec),
  }
}
