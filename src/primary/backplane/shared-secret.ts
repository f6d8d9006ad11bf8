/**
 * The secret with which hosts prove themselves to each other: CLUSTER_SECRET if set, else a secret that the
 * first host stored in Redis. In the second case anybody who can read Redis could pretend to be a host.
 */
import { randomBytes } from 'node:crypto'
import type { Logger } from 'pino'
import type { RedisConnection } from '../../redis/connection.ts'
import { clusterKey } from '../../redis/names.ts'
import type { SigningKeys } from '../../redis/signing.ts'

const SECRET_BYTES = 32
const SECRET = /^[A-Za-z0-9_-]{43}$/

export interface SharedSecretOptions {
  connection: Pick<RedisConnection, 'run' | 'onHealth'>
  cluster: string
  keys: SigningKeys | undefined
  logger: Logger
}

/** @returns the valid secrets at this moment: this host uses the first and accepts each of them */
export function sharedSecret({
  connection,
  cluster,
  keys,
  logger,
}: SharedSecretOptions): () => readonly string[] {
  if (keys !== undefined) return () => keys.secrets
  const key = clusterKey(cluster, 'secret')
  let secrets: readonly string[] = []
  const agree = async () => {
    const [own = randomBytes(SECRET_BYTES).toString('base64url')] = secrets
    const agreed = await connection.run(async (commands) => {
      await commands.set(key, own, 'NX')
      return commands.get(key)
    })
    if (agreed !== null && SECRET.test(agreed)) secrets = [agreed]
    else logger.error({ key }, 'the secret of the hosts in Redis is malformed: nothing is forwarded')
  }
  connection.onHealth((reason) => {
    if (reason !== null) return
    agree().catch((err: unknown) => logger.warn({ err }, 'the hosts do not share a secret yet'))
  })
  return () => secrets
}
