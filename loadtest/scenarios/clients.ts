/** The clients and loads that scenarios have in common. Pure: everything follows from the settings. */
import type { Load, RunPlan, Step, WantedClient } from '../model/plan.ts'
import type { Scenario, ScenarioSettings } from '../model/scenario.ts'

/** Clients that connect per second, where a scenario is not about connecting. */
const CONNECTS_PER_SEC = 250

/** How long outstanding deliveries are waited for at most. */
export const SETTLE_MS = 20_000
/** The same where clients reconnect, or a backlog is part of the scenario. */
export const LONG_SETTLE_MS = 60_000

export const DEFAULTS = {
  textLength: 64,
  transport: 'websocket',
  arrivals: 'poisson',
  rampSec: 0,
  kind: 'raw',
  roomSize: 10,
} as const satisfies Partial<Scenario['defaults']>

/**
 * Clients are spread over the hosts in turn, so the members of a room are on different hosts.
 * @param changes overrides for the client with this index
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

/** The load of the settings, from the start of the run. */
export function loadStep(settings: ScenarioSettings): Step {
  return { do: 'load', atMs: 0, load: load(settings) }
}

/** For the whole duration. @param sharePerSec of all clients */
export const churnStep = (settings: ScenarioSettings, sharePerSec: number): Step => ({
  do: 'churn',
  atMs: 0,
  churn: { durationMs: atShareMs(settings, 1), perSec: Math.max(1, settings.clients * sharePerSec) },
})

/** Rooms of one size under the load of the settings, while `steps` happen. */
export function loadedRoomsPlan(settings: ScenarioSettings, steps: readonly Step[]): RunPlan {
  return {
    clients: planClients(settings, roomOfSize(settings.roomSize)),
    steps: [loadStep(settings), ...steps],
    settleMs: LONG_SETTLE_MS,
  }
}

/** @param share of the duration: 0 is its start, 1 its end */
export function atShareMs(settings: ScenarioSettings, share: number): number {
  return Math.round(settings.durationSec * 1_000 * share)
}
