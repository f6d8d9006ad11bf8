/** Tells whether an address is in one of several networks. Pure. */
import { BlockList, isIP } from 'node:net'

/** @param networks addresses, and networks such as `10.0.0.0/8` and `fd00::/8` */
export function networkTest(networks: readonly string[]): (address: string | undefined) => boolean {
  const list = new BlockList()
  for (const network of networks) {
    const [address = '', bits] = network.split('/')
    if (bits === undefined) list.addAddress(address, familyOf(address))
    else list.addSubnet(address, Number(bits), familyOf(address))
  }
  // An IPv4 address in IPv6 notation, as a socket that serves both has it, is found as well.
  return (address) => address !== undefined && isIP(address) !== 0 && list.check(address, familyOf(address))
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4'
}
