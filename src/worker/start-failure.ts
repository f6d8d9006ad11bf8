/** What the primary is told of an error at the start: the error, where it is, and what may help. */
import { fileURLToPath } from 'node:url'
import { member } from '../core/member.ts'
import { START_FAILURE_CHARS, type StartFailure } from '../wire/control.ts'

const OWN_FILES = fileURLToPath(new URL('..', import.meta.url))
const MAX_CAUSES = 5
/** As Node.js begins the stack of some syntax errors: the file and line, then the line itself. */
const FIRST_LINE = /^((?:file:\/\/)?\/[^\n]*:\d+)\n/
const FRAME = /^\s+at (?:.* \()?((?:file:\/\/)?\/[^\n]*?:\d+:\d+)\)?$/gm

/** @param isApp whether the application was being loaded */
export function startFailure(error: unknown, isApp: boolean): StartFailure {
  const [at, advice] = [placeOf(error), adviceFor(error)]
  return {
    isApp,
    stack: stackOf(error).slice(0, START_FAILURE_CHARS),
    ...(at === undefined ? {} : { at }),
    ...(advice === undefined ? {} : { advice }),
  }
}

/** Whether Node.js says where a syntax error is. */
export function hasPlace(error: unknown): boolean {
  return error instanceof Error && FIRST_LINE.test(error.stack ?? '')
}

function stackOf(error: unknown, causes = 0): string {
  if (!(error instanceof Error)) return String(error)
  const own = error.stack ?? String(error)
  if (error.cause === undefined || causes >= MAX_CAUSES) return own
  return `${own}\ncaused by: ${stackOf(error.cause, causes + 1)}`
}

/** The first place that is neither in Node.js nor in this product. */
function placeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  const stack = error.stack ?? ''
  const places = [FIRST_LINE.exec(stack)?.[1], ...[...stack.matchAll(FRAME)].map(([, place]) => place)]
  return places.flatMap((place) => (place === undefined ? [] : [pathOf(place)])).find(isForeign)
}

function pathOf(place: string): string {
  if (!place.startsWith('file://')) return place
  try {
    return fileURLToPath(place)
  } catch {
    // A stack may hold anything.
    return place
  }
}

const isForeign = (place: string) => !place.startsWith(OWN_FILES)

/** By code and message, what most often helps. */
function adviceFor(error: unknown): string | undefined {
  const { message } = error instanceof Error ? error : { message: String(error) }
  const code = member(error, 'code')
  if (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') return adviceForMissing(message)
  if (message.includes('Cannot use import statement outside a module'))
    return 'name the file .mjs, or set "type": "module" in its package.json'
  if (/^(?:require|module|exports) is not defined in ES module scope/.test(message))
    return 'name the file .cjs, or write it as an ES module (import, export)'
  if (error instanceof SyntaxError && !hasPlace(error))
    return 'the mistake is in a file that the application imports: `node --check FILE` shows the line'
  return undefined
}

function adviceForMissing(message: string): string {
  const name = /Cannot find (?:package|module) '([^'/.][^']*)'/.exec(message)?.[1]
  if (name !== undefined) return `install it where the application is: npm install ${name}`
  return 'check the path (--app, or an import); the imports of ES modules need the full file name, with .js'
}
