/** The way out of problems with Redis that settings cause. Pure. */

const HINTS: readonly [pattern: RegExp, hint: string][] = [
  [
    /self[- ]signed certificate|unable to (verify the first|get (local )?issuer) certificate/i,
    'set REDIS_TLS_CA to a file with the certificate of the authority that signed it; for a self-signed one, with that certificate itself',
  ],
  [
    /does not match certificate's altnames|Cert does not contain a DNS name/i,
    'write the name in the certificate in REDIS_URL, or set REDIS_TLS_SERVERNAME to it; the nodes of a Redis Cluster are named in REDIS_URL one by one, or announce their names (cluster-preferred-endpoint-type hostname)',
  ],
  [
    /certificate has expired|certificate is not yet valid/i,
    'renew the certificate of Redis, or set the clock',
  ],
  [
    /wrong version number|packet length too long/i,
    'this port does not speak TLS: write redis:// in REDIS_URL',
  ],
  [
    /cluster support disabled/i,
    'this is no Redis Cluster: leave REDIS_CLUSTER away, and name one server in REDIS_URL',
  ],
  [
    /unknown command '?sentinel/i,
    'REDIS_SENTINELS names a server that is no Sentinel (their usual port is 26379)',
  ],
  [
    /is now a replica of/,
    'name the master in REDIS_URL, or let Sentinels find it (REDIS_SENTINELS): a fail-over between two plain servers is announced to nobody',
  ],
  [
    /ENOTFOUND/,
    'the name is unknown here; if it has only IPv6 addresses, add ?family=6 or ?family=0 to REDIS_URL',
  ],
]

/** For a log line: why the connection failed, and what to do if a setting is the likely cause. */
export function problemOf({ message }: Error): { reason: string; hint: string | undefined } {
  return { reason: message, hint: HINTS.find(([pattern]) => pattern.test(message))?.[1] }
}
