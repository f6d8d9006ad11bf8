/**
 * The transports that this environment has, best first. A browser without `WebSocket` gets polling only:
 * socket.io-client would try WebSocket, lose the error and never fall back. In Node.js the library brings its
 * own WebSocket.
 */
export function availableTransports(surroundings: object = globalThis): string[] {
  const hasOwn = Reflect.get(surroundings, 'WebSocket') !== undefined
  return hasOwn || isNode(Reflect.get(surroundings, 'process')) ? ['websocket', 'polling'] : ['polling']
}

function isNode(process: unknown): boolean {
  if (typeof process !== 'object' || process === null) return false
  const versions: unknown = Reflect.get(process, 'versions')
  return typeof versions === 'object' && versions !== null && Reflect.get(versions, 'node') !== undefined
}
