/**
 * Preloaded into every server process (NODE_OPTIONS `--import`). Each second it appends a line of JSON with
 * event-loop and memory figures to `$LOADTEST_PROBES/<pid>.jsonl`. It must not disturb the server: it writes
 * to no standard stream, throws nothing, handles only SIGUSR2 and SIGURG, and keeps no process alive. The
 * file has at most a day's lines; after a failed write it stops. SIGURG requests resource counts
 * (resource-probe.js). SIGUSR2 is a fault: it blocks the event loop for `$LOADTEST_STALL_MS`, while the
 * process and its connections look alive.
 */
import { open, write } from 'node:fs'
import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import { isMainThread } from 'node:worker_threads'
import { reportResources } from './resource-probe.js'

const EVERY_MS = 1_000
const MAX_LINES = 86_400
/** The histogram holds the time between ticks; the excess over this is delay. */
const RESOLUTION_MS = 10

const directory = process.env.LOADTEST_PROBES
if (isMainThread && directory !== undefined) {
  reportResources(directory)
  open(`${directory}/${process.pid}.jsonl`, 'a', (error, file) => {
    if (error === null) begin(file)
  })
}

const stallMs = Number(process.env.LOADTEST_STALL_MS)
if (isMainThread && stallMs > 0) {
  process.on('SIGUSR2', () => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, stallMs)
  })
}

function begin(file) {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  delay.enable()
  let before = performance.eventLoopUtilization()
  let lines = 0
  let isWriting = false

  const timer = setInterval(() => {
    if (isWriting) return
    const now = performance.eventLoopUtilization()
    const line = JSON.stringify({
      at: Number(process.hrtime.bigint()) / 1e6,
      eventLoopDelayP99Ms: delayMs(delay.percentile(99)),
      eventLoopDelayMaxMs: delayMs(delay.max),
      eventLoopUtilization: performance.eventLoopUtilization(now, before).utilization,
      ...memory(),
    })
    before = now
    delay.reset()
    lines += 1
    if (lines === MAX_LINES) end()
    isWriting = true
    write(file, `${line}\n`, (error) => {
      isWriting = false
      if (error !== null) end()
    })
  }, EVERY_MS)
  timer.unref()

  function end() {
    clearInterval(timer)
    delay.disable()
  }
}

const delayMs = (nanoseconds) => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS)

function memory() {
  const { rss, heapUsed, external } = process.memoryUsage()
  return { rssBytes: rss, heapUsedBytes: heapUsed, externalBytes: external }
}
