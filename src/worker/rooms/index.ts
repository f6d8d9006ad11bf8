/** Rooms with a log and presence, as an application sees them. */
export { createLinkLogReader } from './link-log-reader.ts'
export { createRooms } from './rooms.ts'
