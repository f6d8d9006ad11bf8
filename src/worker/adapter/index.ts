/** The Socket.IO adapter: the server API across all workers and hosts. */
export { createLinkAdapter } from './adapter.ts'
