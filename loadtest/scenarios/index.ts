/** The table of all scenarios, in the order in which they are shown. */
import type { Scenario } from '../scenario.ts'
import { avalancheWorker } from './avalanche-worker.ts'
import { bigRoom } from './big-room.ts'
import { avalanche, churn } from './comings-back.ts'
import { connectStorm } from './connect-storm.ts'
import { directMessages } from './direct-messages.ts'
import { havoc, havocHosts } from './havoc.ts'
import { idleCrowd } from './idle-crowd.ts'
import { jitter } from './jitter.ts'
import { manyRooms } from './many-rooms.ts'
import { hostKill, redisRestart } from './outages.ts'
import { rollingReload } from './rolling-reload.ts'
import { pollingCrowd, rooms10x100, smallRooms } from './rooms.ts'
import { slowReaders } from './slow-readers.ts'
import { soak } from './soak.ts'
import { subscribers10k } from './subscribers-10k.ts'
import { workerKills } from './worker-kills.ts'

export const SCENARIOS: readonly Scenario[] = [
  connectStorm,
  idleCrowd,
  bigRoom,
  smallRooms,
  manyRooms,
  directMessages,
  pollingCrowd,
  churn,
  jitter,
  avalanche,
  avalancheWorker,
  rollingReload,
  workerKills,
  hostKill,
  redisRestart,
  havoc,
  havocHosts,
  slowReaders,
  soak,
  subscribers10k,
  rooms10x100,
]
