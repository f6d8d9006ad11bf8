/** The worker's HTTP server: static files, the application's routes, and limits on requests. */
export { AssetStore } from './asset-store.ts'
export { limitBodySilence } from './body-deadline.ts'
export { createHttpServer, type PageFiles } from './http-server.ts'
export { KeepAlive } from './keep-alive.ts'
export { endFailed } from './last-response.ts'
export { OpenRequests } from './open-requests.ts'
