/**
 * Names of keys and channels in Redis. All contain the cluster's name, so that two clusters can share one
 * Redis. Keys of one room share a hash tag, so that Redis Cluster keeps them in one slot.
 *
 * https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#hash-tags
 */

/** A key of a room: `part` is `log`, `ids`, `meta` … */
export const roomKey = (cluster: string, room: string, part: string) =>
  `rookery:${cluster}:{r:${room}}:${part}`

/** The channel on which a room's log entries are published. */
export const entriesChannel = (cluster: string, room: string) => roomKey(cluster, room, 'entries')

/** A key of a user: `part` is `rooms`, `reads` … */
export const userKey = (cluster: string, userId: string, part: string) =>
  `rookery:${cluster}:{u:${userId}}:${part}`

/**
 * A key of the whole cluster. One slot, so that messages between hosts keep their order in Redis Cluster too.
 */
export const clusterKey = (cluster: string, part: string) => `rookery:{${cluster}}:${part}`

/** Prefix of all channels of the backplane, for `createShardedAdapter`. */
export const backplanePrefix = (cluster: string) => `rookery:{${cluster}}:hosts`
