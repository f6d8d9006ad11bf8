/** What other folders may use of the forwarding between hosts. */
export { Forwarding, type ForwardingOptions, forwardLimits, idleLimitMs } from './forwarding.ts'
export type { ConnectionOrigin } from './listener.ts'
export { endpoint, onlyAddress, ownAddressTowards } from './own-address.ts'
