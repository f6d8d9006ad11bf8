/** Where the page is served. A proxy may serve it below a path, and other programs beside it. */

/** The directory of the page, with a slash at its end. */
export function pageBase(): URL {
  return new URL('.', location.href)
}

interface ServerPlace {
  readonly namespace: string
  readonly socket: { path: string }
}

/** Where Socket.IO is, if an application has mounted the chat: it says so in the page (chat/page.ts). */
export function serverPlace(): ServerPlace | undefined {
  const { socketIo, namespace } = document.getElementById('app')?.dataset ?? {}
  if (socketIo === undefined || namespace === undefined) return undefined
  return { namespace, socket: { path: new URL(socketIo, pageBase()).pathname } }
}

/** Precedes the names of what this page stores: a browser keeps one storage for all paths of an origin. */
export function storagePrefix(): string {
  const { pathname } = pageBase()
  return pathname === '/' ? '' : pathname
}
