/** Warnings about Redis settings that endanger the stored data, with what to change. Pure. */

export interface ServerWarning {
  readonly level: 'info' | 'warn'
  readonly message: string
}

/** Arguments of CONFIG GET. */
export const LOOKED_AT = [
  'maxmemory-policy',
  'appendonly',
  'save',
  'appendfsync',
  'client-output-buffer-limit',
] as const

const MIB = 1024 ** 2
/**
 * Defaults of Redis: a subscriber that does not read is disconnected at 32 MiB, or after 60 s above 8 MiB.
 */
const DEFAULT_HARD_BYTES = 32 * MIB
const DEFAULT_SOFT_BYTES = 8 * MIB

export function serverWarnings(config: ReadonlyMap<string, string>): ServerWarning[] {
  return [evictionOf(config), ...durabilityOf(config), outputLimitOf(config)].filter(
    (warning) => warning !== undefined,
  )
}

function evictionOf(config: ReadonlyMap<string, string>): ServerWarning | undefined {
  const policy = config.get('maxmemory-policy')
  if (policy === undefined || policy === 'noeviction') return undefined
  return warn(
    `Redis may throw away rooms when its memory is full (maxmemory-policy ${policy}): set maxmemory-policy noeviction`,
  )
}

function durabilityOf(config: ReadonlyMap<string, string>): (ServerWarning | undefined)[] {
  const [appendonly, save, fsync] = ['appendonly', 'save', 'appendfsync'].map((name) => config.get(name))
  if (appendonly === 'no') {
    const what =
      save === ''
        ? 'Redis keeps nothing over its own restart (appendonly no, no save)'
        : `Redis loses what came after its last snapshot when it restarts (appendonly no, save ${save ?? '?'})`
    return [warn(`${what}: set appendonly yes, and appendfsync always where no message may be lost`)]
  }
  if (fsync === 'no') {
    const message =
      'Redis leaves it to the system when messages reach the disk (appendfsync no): set appendfsync everysec or always'
    return [warn(message)]
  }
  if (fsync !== 'everysec') return []
  const message =
    'when the machine of Redis fails, up to two seconds of messages are lost (appendfsync everysec); rooms then get a new epoch. appendfsync always loses none'
  return [{ level: 'info', message }]
}

function outputLimitOf(config: ReadonlyMap<string, string>): ServerWarning | undefined {
  const limits = config.get('client-output-buffer-limit') ?? ''
  const [, hard = '', soft = ''] = /pubsub (\d+) (\d+) \d+/.exec(limits) ?? []
  if (hard === '') return undefined
  if (!isBelow(Number(hard), DEFAULT_HARD_BYTES) && !isBelow(Number(soft), DEFAULT_SOFT_BYTES))
    return undefined
  return warn(
    `Redis cuts a host off that stands still for a moment (client-output-buffer-limit pubsub ${hard} ${soft}): set it to 32mb 8mb 60 or more`,
  )
}

/** Zero: no limit. */
function isBelow(limit: number, least: number): boolean {
  return limit !== 0 && limit < least
}

function warn(message: string): ServerWarning {
  return { level: 'warn', message }
}
