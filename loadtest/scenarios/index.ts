/** All scenarios, in the order in which they are listed. */
import type { Scenario } from '../model/scenario.ts'
import { avalancheWorker } from './faults/avalanche-worker.ts'
import { havoc } from './faults/havoc.ts'
import { havocHosts } from './faults/havoc-hosts.ts'
import { hostKill } from './faults/host-kill.ts'
import { redisRestart } from './faults/redis-restart.ts'
import { rollingReload } from './faults/rolling-reload.ts'
import { soak } from './faults/soak.ts'
import { workerKills } from './faults/worker-kills.ts'
import { avalanche } from './reconnect/avalanche.ts'
import { churn } from './reconnect/churn.ts'
import { jitter } from './reconnect/jitter.ts'
import { bigRoom } from './steady/big-room.ts'
import { connectStorm } from './steady/connect-storm.ts'
import { directMessages } from './steady/direct-messages.ts'
import { idleCrowd } from './steady/idle-crowd.ts'
import { manyRooms } from './steady/many-rooms.ts'
import { pollingCrowd } from './steady/polling-crowd.ts'
import { rooms10x100 } from './steady/rooms-10x100.ts'
import { slowReaders } from './steady/slow-readers.ts'
import { smallRooms } from './steady/small-rooms.ts'
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
