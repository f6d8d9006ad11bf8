/**
 * Finds the rooms and users of a cluster by their keys. Scans all of Redis in small steps: only for sweeping
 * and export.
 */
import type { Cluster, Redis } from 'ioredis'
import type { RedisConnection } from '../../redis/connection.ts'
import { roomKey, userKey } from '../../redis/names.ts'

const KEYS_PER_STEP = 500

/** Each room at least once, in any order. A room created meanwhile may be missed. */
export async function* scanRooms(connection: RedisConnection, cluster: string): AsyncGenerator<string[]> {
  const [before, after] = around(roomKey(cluster, '*', 'meta'))
  for await (const keys of scan(connection, `${before}*${after}`)) {
    yield keys.map((key) => key.slice(before.length, -after.length))
  }
}

/** Like `scanRooms`, for users that have rooms. */
export async function* scanUsers(connection: RedisConnection, cluster: string): AsyncGenerator<string[]> {
  const [before, after] = around(userKey(cluster, '*', 'rooms'))
  for await (const keys of scan(connection, `${before}*${after}`)) {
    yield keys.map((key) => unescaped(key.slice(before.length, -after.length)))
  }
}

async function* scan(connection: RedisConnection, pattern: string): AsyncGenerator<string[]> {
  const masters = await connection.run(async (commands) => mastersOf(commands))
  for (const master of masters) {
    let cursor = '0'
    do {
      const [next, keys] = await connection.run(() =>
        master.scan(cursor, 'MATCH', pattern, 'COUNT', KEYS_PER_STEP),
      )
      cursor = next
      if (keys.length > 0) yield keys
    } while (cursor !== '0')
  }
}

function mastersOf(commands: Redis | Cluster): Redis[] {
  return 'nodes' in commands ? commands.nodes('master') : [commands]
}

function around(pattern: string): [before: string, after: string] {
  const [before = '', after = ''] = pattern.split('*')
  return [before, after]
}

/** Inverse of `userRoomsKey`. */
function unescaped(part: string): string {
  const parsed: unknown = JSON.parse(`"${part}"`)
  return String(parsed)
}
