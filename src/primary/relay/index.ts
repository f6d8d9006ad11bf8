/** What other folders may use of the relay. */
export type { RoomInterests } from './host-subscriptions.ts'
export { listenForWorkers } from './link-socket.ts'
export { Relay } from './relay.ts'
export { createHandlers } from './request-handlers.ts'
export type { OutsidePublication } from './router.ts'
export { WatchedRooms } from './watched-rooms.ts'
