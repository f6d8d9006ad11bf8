/**
 * Where the server is: its origin, and the path of Socket.IO there. A proxy may serve it below a path, which
 * socket.io-client would take for a namespace. Pure.
 */
export interface ServerAddress {
  /** Undefined: the page's own origin. */
  readonly uri: string | undefined
  /** Undefined: Socket.IO's own default. */
  readonly path: string | undefined
}

const PARTS = /^((?:[A-Za-z][A-Za-z0-9+.-]*:)?\/\/[^/?#]*|[^/?#]*)(\/[^?#]*)?([^]*)$/
const SOCKET_IO = '/socket.io/'

/**
 * @param url `https://example.org`, `https://example.org/chat/`, or `/chat/` on the page's own origin
 * @param namespace of Socket.IO, `/` by default
 */
export function serverAddress(url: string | undefined, namespace = '/'): ServerAddress {
  const [, origin = '', directory = '', rest = ''] = PARTS.exec(url ?? '') ?? []
  const base = directory.replace(/\/+$/, '')
  const nsp = namespace === '/' && (origin !== '' || rest === '') ? '' : namespace
  const uri = `${origin}${nsp}${rest}`
  return {
    uri: uri === '' ? undefined : uri,
    path: base === '' ? undefined : `${base}${SOCKET_IO}`,
  }
}
