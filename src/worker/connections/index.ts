/**
 * The connections of this worker's clients: what they may ask for, what is written to them, how much waits
 * for them.
 */
export { limitConnects } from './connect-rate.ts'
export { type DeliveryFlags, decodePackets, deliver, type EncodedPackets } from './delivery.ts'
export { createFanOut } from './fan-out.ts'
export { HandBack, type SendToPrimary } from './hand-back.ts'
export { checkOrigins } from './origins.ts'
export { watchOversizedPackets } from './oversized-packets.ts'
export { acceptLatePosts, closePolling, endPollsAsLost, isPolling } from './polling-end.ts'
export { reportReceivedHandles } from './received-handles.ts'
export { connectionsOf, watchSlowClients } from './slow-clients.ts'
export { tagSocketIds } from './socket-ids.ts'
export { unsentBytes } from './unsent-bytes.ts'
export { PlainWriteServer } from './websocket-server.ts'
