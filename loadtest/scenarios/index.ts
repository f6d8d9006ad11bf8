/** All scenarios, in the order in which they are listed. */
import type { Scenario } from '../model/scenario.ts'
import { avalancheWorker } from './faults/avalanche-worker.ts'
import { havoc, havocHosts } from './faults/havoc.ts'
import { hostKill, redisRestart } from './faults/outages.ts'
import { rollingReload } from './faults/rolling-reload.ts'
import { soak } from './faults/soak.ts'
import { workerKills } from './faults/worker-kills.ts'
import { jitter } from './reconnect/jitter.ts'
import { avalanche, churn } from './reconnect/reconnects.ts'
import { bigRoom } from './steady/big-room.ts'
import { connectStorm } from './steady/connect-storm.ts'
import { directMessages } from './steady/direct-messages.ts'
import { idleCrowd } from './steady/idle-crowd.ts'
import { manyRooms } from './steady/many-rooms.ts'
import { pollingCrowd, rooms10x100, smallRooms } from './steady/rooms.ts'
import { slowReaders } from './steady/slow-readers.ts'
import { subscribers10k } from './steady/subscribers-10k.ts'

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
