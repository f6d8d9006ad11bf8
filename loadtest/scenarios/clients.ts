/** The clients and loads that scenarios have in common. Pure: what a crowd looks like follows from the settings alone. */
import type { Load, Step, WantedClient } from '../model/plan.ts'
import type { Scenario, ScenarioSettings } from '../model/scenario.ts'

/** Where a scenario is not about connecting, so many clients a second connect. */
const CONNECTS_PER_SEC = 250

/** Deliveries that are still under way are waited for so long at most. */
export const SETTLE_MS = 20_000
/** The same where clients come back, or a backlog is part of the scenario. */
export const LONG_SETTLE_MS = 60_000

/** What most scenarios ask for if nothing else is said. */
export const DEFAULTS = {
  textLength: 64,
  transport: 'websocket',
  arrivals: 'poisson',
  rampSec: 0,
  kind: 'raw',
  roomSize: 10,
} as const satisfies Partial<Scenario['defaults']>

/**
 * Clients are spread over the hosts in turn, so that the members of a room are on different hosts.
 * @param changes what is unusual about the client with this index
 */
export function planClients(
  settings: ScenarioSettings,
  roomsOf: (index: number) => string[],
  changes: (index: number) => Partial<WantedClient> = () => ({}),
): WantedClient[] {
  return Array.from({ length: settings.clients }, (_, index) => ({
    index,
    host: index % settings.shape.hosts,
    transport: settings.transport,
    rooms: roomsOf(index),
    connectAtMs: (index * 1_000) / CONNECTS_PER_SEC,
    reads: 'all',
    sends: true,
    ...changes(index),
  }))
}

/** Rooms of one size, each client in one of them. The last may be smaller. */
export const roomOfSize =
  (size: number) =>
  (index: number): string[] => [`room-${Math.floor(index / size)}`]

export const oneRoom = (): string[] => ['room']

export function load(settings: ScenarioSettings, changes: Partial<Load> = {}): Load {
  return {
    durationMs: settings.durationSec * 1_000,
    ratePerSec: settings.ratePerSec,
    arrivals: settings.arrivals,
    rampMs: settings.rampSec * 1_000,
    textLength: settings.textLength,
    ...changes,
  }
}

/** The load of the settings, from the beginning. */
export function loadStep(settings: ScenarioSettings): Step {
  return { do: 'load', atMs: 0, load: load(settings) }
}

/** A moment of the scenario's duration: 0 is its beginning, 1 its end. */
export function atShareMs(settings: ScenarioSettings, share: number): number {
  return Math.round(settings.durationSec * 1_000 * share)
}
