/**
 * The schedule of a load: which client sends to which of its rooms at what time, computed ahead and
 * independent of the server. Every process computes the same schedule and sends for its own clients. Pure.
 */
import type { Load } from '../model/plan.ts'
import { below, type Random, randomOf, shuffled } from './random.ts'

export interface Arrival {
  /** After the start of the load. */
  atMs: number
  /** Position among the senders. */
  sender: number
  /** Selects one of its rooms: a number from 0 up to 1, times their count. */
  pick: number
}

/** Arrivals of an `even` load. A `poisson` load has as many on average. */
export function arrivalCount(load: Load): number {
  return Math.round((load.ratePerSec * fullMs(load)) / 1_000)
}

/** The time that the full rate needs for as many arrivals as the whole load has. */
function fullMs({ durationMs, rampMs }: Load): number {
  return durationMs < rampMs ? durationMs ** 2 / (2 * rampMs) : durationMs - rampMs / 2
}

/** The time by which as much has arrived as within `atMs` at the full rate. */
function ramped(atMs: number, { rampMs }: Load): number {
  return atMs < rampMs / 2 ? Math.sqrt(2 * rampMs * atMs) : atMs + rampMs / 2
}

/**
 * In order of time, all before the load's end. `even`: senders take turns, so each has its exact share of the
 * rate.
 */
export function* arrivalsOf(load: Load, senders: number, seed: number): Generator<Arrival, void> {
  if (senders === 0) return
  const random = randomOf(seed, 'arrivals')
  if (load.arrivals === 'even') yield* evenArrivals(load, senders, random)
  else yield* poissonArrivals(load, senders, random)
}

function* evenArrivals(load: Load, senders: number, random: Random): Generator<Arrival, void> {
  const turns = shuffled(
    Array.from({ length: senders }, (_, sender) => sender),
    random,
  )
  const count = arrivalCount(load)
  for (let number = 0; number < count; number += 1)
    yield {
      atMs: ramped((number * 1_000) / load.ratePerSec, load),
      sender: turns[number % senders] ?? 0,
      pick: random(),
    }
}

function* poissonArrivals(load: Load, senders: number, random: Random): Generator<Arrival, void> {
  const meanMs = 1_000 / load.ratePerSec
  const endMs = fullMs(load)
  let atMs = -Math.log(1 - random()) * meanMs
  while (atMs < endMs) {
    yield { atMs: ramped(atMs, load), sender: below(senders, random), pick: random() }
    atMs -= Math.log(1 - random()) * meanMs
  }
}
