/** `rookery log sign`: signs the messages in Redis with the present secret. */
import { countOf } from '../core/count-of.ts'
import type { SignCounts } from '../log/redis/sign-anew.ts'
import { ExitError } from '../ops/exit-codes.ts'
import { type CommandLine, loadFrom, type Options } from './command-line.ts'
import { Progress } from './progress.ts'
import { redisForCommand } from './redis-for-command.ts'

export async function signStored(line: CommandLine, options: Options): Promise<void> {
  const { config } = loadFrom(line, options)
  if (config.redisUrl === undefined || config.clusterSecret === undefined) {
    const message = 'only messages in Redis are signed, with CLUSTER_SECRET: set REDIS_URL and CLUSTER_SECRET'
    throw new ExitError('configuration', message)
  }
  const { signAnew } = await import('../log/redis/sign-anew.ts')
  const { connection, cluster, keys } = await redisForCommand(config)
  const progress = new Progress('signed', describe)
  try {
    if (keys === undefined) throw new Error('a secret without keys')
    const acceptUnsigned = options['unsigned'] === true
    const onProgress = (counts: Readonly<SignCounts>) => progress.show(counts)
    const { unreadableRooms, ...counts } = await signAnew({
      connection,
      cluster,
      keys,
      acceptUnsigned,
      onProgress,
    })
    progress.done(counts, options['json'] === true ? process.stdout : null)
    if (unreadableRooms.length > 0) throw leftAsTheyAre(unreadableRooms, counts.unreadable)
  } finally {
    connection.close()
  }
}

const SHOWN_ROOMS = 20

function leftAsTheyAre(rooms: readonly string[], entries: number): ExitError {
  const more = rooms.length > SHOWN_ROOMS ? ` and ${rooms.length - SHOWN_ROOMS} more` : ''
  const message = `${countOf(entries, 'entry', 'entries')} left as they are, damaged or verified by no secret, in the rooms ${rooms.slice(0, SHOWN_ROOMS).join(', ')}${more}. CLUSTER_SECRET_OLD names former secrets; --unsigned signs what was never signed`
  return new ExitError('unreadableEntries', message)
}

const describe = ({ rooms, entries, signed }: Readonly<SignCounts>) =>
  `${signed} of ${countOf(entries, 'entry', 'entries')} in ${countOf(rooms, 'room')} anew`
