/**
 * Part of the probe (probe.js): when its process gets SIGURG, which does nothing to who does not listen, it writes what it holds to
 * `$LOADTEST_PROBES/<pid>.holds.json`. That takes a full garbage collection and stops the process for some tenths of a second: it is
 * for moments at which nothing is under way.
 */
import { EventEmitter, getEventListeners } from 'node:events'
import { renameSync, writeFileSync } from 'node:fs'
import { Session } from 'node:inspector'

/** Name under which the inspector finds what it is to look for, and leaves what it found, as long as it looks. */
const DESK = 'rookeryLoadtestDesk'

export function tellHoldings(directory) {
  process.on('SIGURG', () => {
    try {
      const file = `${directory}/${process.pid}.holds`
      writeFileSync(`${file}.new`, JSON.stringify(holdings()))
      renameSync(`${file}.new`, `${file}.json`)
    } catch {
      // Whoever asked hears nothing, and says so: a probe must not end its server.
    }
  })
}

function holdings() {
  const handles = counted(process.getActiveResourcesInfo())
  const emitters = living(EventEmitter.prototype).filter((emitter) => Object.hasOwn(emitter, '_events'))
  const signals = living(AbortSignal.prototype)
  const { heapUsed, external } = process.memoryUsage()
  return {
    at: Number(process.hrtime.bigint()) / 1e6,
    heapBytes: heapUsed,
    externalBytes: external,
    handles,
    emitters: counted(emitters.map(nameOf)),
    listeners: added([
      ...emitters.map((emitter) => [nameOf(emitter), listenersOf(emitter)]),
      ...signals.map((signal) => ['AbortSignal', getEventListeners(signal, 'abort').length]),
    ]),
  }
}

/** All objects that inherit from it and are still in use: what is garbage is collected first. */
function living(prototype) {
  const session = new Session()
  session.connect()
  globalThis[DESK] = { prototype, found: [] }
  try {
    const { result } = answerOf(session, 'Runtime.evaluate', { expression: `${DESK}.prototype` })
    const { objects } = answerOf(session, 'Runtime.queryObjects', { prototypeObjectId: result.objectId })
    answerOf(session, 'Runtime.callFunctionOn', {
      objectId: objects.objectId,
      functionDeclaration: `function () { ${DESK}.found = this }`,
    })
    return globalThis[DESK].found
  } finally {
    delete globalThis[DESK]
    session.disconnect()
  }
}

/** On its own thread the inspector answers before `post` returns. */
function answerOf(session, method, params) {
  let answer
  session.post(method, params, (error, result) => {
    if (error !== null) throw error
    answer = result
  })
  return answer
}

const nameOf = (emitter) => (emitter === process ? 'process' : (emitter.constructor?.name ?? '?'))

function listenersOf(emitter) {
  return EventEmitter.prototype.eventNames
    .call(emitter)
    .reduce((sum, event) => sum + EventEmitter.prototype.listenerCount.call(emitter, event), 0)
}

const counted = (names) => added(names.map((name) => [name, 1]))

function added(pairs) {
  const sums = {}
  for (const [name, count] of pairs) sums[name] = (sums[name] ?? 0) + count
  return sums
}
