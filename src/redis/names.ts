/**
 * The names of keys and channels in Redis. All begin with the cluster's name, so that two clusters on one Redis never
 * meet; what belongs to one room shares a hash tag, so that Redis Cluster keeps it in one slot.
 *
 * https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#hash-tags
 */

/** A room's stream of entries, and what belongs to it: `part` is `log`, `ids`, `meta` … */
export const roomKey = (cluster: string, room: string, part: string) =>
  `rookery:${cluster}:{r:${room}}:${part}`

/** The channel on which a room's log tells each entry. */
export const entriesChannel = (cluster: string, room: string) => roomKey(cluster, room, 'entries')

/** What belongs to one user: `part` is `rooms`, `reads` … */
export const userKey = (cluster: string, userId: string, part: string) =>
  `rookery:${cluster}:{u:${userId}}:${part}`

/** What belongs to the whole cluster. One slot, so that what hosts tell each other keeps its order in Redis Cluster too. */
export const clusterKey = (cluster: string, part: string) => `rookery:{${cluster}}:${part}`

/** For `createShardedAdapter`: every channel of the backplane begins with it. */
export const backplanePrefix = (cluster: string) => `rookery:{${cluster}}:hosts`
