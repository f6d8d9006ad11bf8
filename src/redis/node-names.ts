/**
 * Names of the nodes of a Redis Cluster with TLS. ioredis connects to the address that a name stands for, and
 * would check the certificate against the address. Here it is checked against the name in REDIS_URL too.
 */
import { lookup } from 'node:dns'
import { isIP } from 'node:net'
import { type ConnectionOptions, checkServerIdentity } from 'node:tls'
import type { ClusterNode, ClusterOptions } from 'ioredis'

type DnsLookup = NonNullable<ClusterOptions['dnsLookup']>

export class NodeNames {
  readonly #addresses = new Map<string, string>()

  /** For ioredis: resolves the names in REDIS_URL, at each connect. */
  readonly lookup: DnsLookup = (name, callback) => {
    lookup(name, (error, address, family) => {
      if (error === null) this.#addresses.set(name, address)
      callback(error, address, family)
    })
  }

  /** The node with TLS options for its name. They stay with the node when the cluster names its address. */
  named(node: ClusterNode, tls: ConnectionOptions | undefined): ClusterNode {
    if (typeof node !== 'object' || node.host === undefined || isIP(node.host) !== 0) return node
    if (tls === undefined || tls.servername !== undefined) return node
    const check: NonNullable<ConnectionOptions['checkServerIdentity']> = (name, certificate) => {
      const error = checkServerIdentity(name, certificate)
      const address = this.#addresses.get(name)
      return error === undefined || address === undefined ? error : accepted(address, certificate, error)
    }
    const named = { ...node, tls: { ...tls, servername: node.host, checkServerIdentity: check } }
    return named
  }
}

/** @returns nothing if the certificate is for this address, else the error */
function accepted(
  address: string,
  certificate: Parameters<typeof checkServerIdentity>[1],
  error: Error,
): Error | undefined {
  return checkServerIdentity(address, certificate) === undefined ? undefined : error
}
