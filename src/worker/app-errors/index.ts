/** Errors of the application's code: tied to what they belong to, and contained there. */
export { AppErrors } from './app-errors.ts'
export { guardHttp } from './guard-http.ts'
export { emitServerSide, guardListeners } from './guard-listeners.ts'
export { guardMiddleware } from './guard-middleware.ts'
