/**
 * Part of the probe (probe.js): on SIGURG, which processes without a handler ignore, it writes resource
 * counts to `$LOADTEST_PROBES/<pid>.resources.json`. That takes a full garbage collection and blocks the
 * process for some tenths of a second, so it is for idle processes only.
 */
import { EventEmitter, getEventListeners } from 'node:events'
import { renameSync, writeFileSync } from 'node:fs'
import { Session } from 'node:inspector'

/** Global name that passes the prototype to the inspector and the found objects back. */
const INSPECTED = 'rookeryLoadtestInspected'

export function reportResources(directory) {
  process.on('SIGURG', () => {
    try {
      const file = `${directory}/${process.pid}.resources`
      writeFileSync(`${file}.new`, JSON.stringify(resources()))
      renameSync(`${file}.new`, `${file}.json`)
    } catch {
      // The requester times out and reports it: a probe must not end its server.
    }
  })
}

function resources() {
  const handles = countByName(process.getActiveResourcesInfo())
  const emitters = liveObjects(EventEmitter.prototype).filter((emitter) => Object.hasOwn(emitter, '_events'))
  const signals = liveObjects(AbortSignal.prototype)
  const { heapUsed, external } = process.memoryUsage()
  return {
    at: Number(process.hrtime.bigint()) / 1e6,
    heapBytes: heapUsed,
    externalBytes: external,
    handles,
    emitters: countByName(emitters.map(nameOf)),
    listeners: sumByName([
      ...emitters.map((emitter) => [nameOf(emitter), listenersOf(emitter)]),
      ...signals.map((signal) => ['AbortSignal', getEventListeners(signal, 'abort').length]),
    ]),
  }
}

/** All objects in use that inherit from it: garbage is collected first. */
function liveObjects(prototype) {
  const session = new Session()
  session.connect()
  globalThis[INSPECTED] = { prototype, found: [] }
  try {
    const { result } = answerOf(session, 'Runtime.evaluate', { expression: `${INSPECTED}.prototype` })
    const { objects } = answerOf(session, 'Runtime.queryObjects', { prototypeObjectId: result.objectId })
    answerOf(session, 'Runtime.callFunctionOn', {
      objectId: objects.objectId,
      functionDeclaration: `function () { ${INSPECTED}.found = this }`,
    })
    return globalThis[INSPECTED].found
  } finally {
    delete globalThis[INSPECTED]
    session.disconnect()
  }
}

/** On its own thread the inspector responds before `post` returns. */
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

const countByName = (names) => sumByName(names.map((name) => [name, 1]))

function sumByName(pairs) {
  const sums = {}
  for (const [name, count] of pairs) sums[name] = (sums[name] ?? 0) + count
  return sums
}
