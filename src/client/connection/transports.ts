/**
 * The ways to the server that there are here, best first. A browser without `WebSocket` is not offered it: the client library
 * would try it, lose the error, and never come to the other one. In Node.js that library brings its own.
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
