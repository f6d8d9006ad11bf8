/** The table of all scenarios, in the order in which they are shown. */
import type { Scenario } from '../scenario.ts'
import { avalanche } from './avalanche.ts'
import { avalancheWorker } from './avalanche-worker.ts'
import { bigRoom } from './big-room.ts'
import { churn } from './churn.ts'
import { connectStorm } from './connect-storm.ts'
import { directMessages } from './direct-messages.ts'
import { hostKill } from './host-kill.ts'
import { idleCrowd } from './idle-crowd.ts'
import { jitter } from './jitter.ts'
import { manyRooms } from './many-rooms.ts'
import { pollingCrowd } from './polling-crowd.ts'
import { redisRestart } from './redis-restart.ts'
import { rollingReload } from './rolling-reload.ts'
import { rooms10x100 } from './rooms-10x100.ts'
import { slowReaders } from './slow-readers.ts'
import { smallRooms } from './small-rooms.ts'
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
  slowReaders,
  soak,
  subscribers10k,
  rooms10x100,
]
