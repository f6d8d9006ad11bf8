import { once } from 'node:events'
import { expect, test } from 'vitest'
import { WatchedRooms } from '../../src/primary/relay/watched-rooms.ts'
import { until } from '../harness/until.ts'

/** A log whose rooms can be watched only while it is available. */
class ComingLog {
  there = false
  readonly watched: string[] = []
  refused = 0
  #gate: Promise<void> | undefined

  watch(room: string): Promise<void> {
    if (!this.there) {
      this.refused += 1
      return Promise.reject(new Error('away'))
    }
    return (this.#gate ?? Promise.resolve()).then(() => void this.watched.push(room))
  }

  unwatch(room: string): void {
    this.watched.splice(this.watched.indexOf(room), 1)
  }

  /** Makes watch calls wait until the returned function is called. */
  slow(): () => void {
    const opened = new AbortController()
    this.#gate = once(opened.signal, 'abort').then(() => undefined)
    return () => opened.abort()
  }
}

function started() {
  const log = new ComingLog()
  const late: string[] = []
  const rooms = new WatchedRooms({ log, onLate: (room) => late.push(room) })
  return { log, late, rooms }
}

test('a room is watched while it is wanted', async () => {
  const { log, late, rooms } = started()
  log.there = true
  await rooms.want('den')
  expect(log.watched).toEqual(['den'])
  rooms.release('den')
  expect(log.watched).toEqual([])
  expect(late).toEqual([])
})

test('an unavailable log is retried until it is back; workers answered before that learn that the watch was late', async () => {
  const { log, late, rooms } = started()
  const watching = rooms.want('den')
  await until(() => log.refused > 1, 'the watch has been retried')
  log.there = true
  await watching
  expect(log.watched).toEqual(['den'])
  expect(late).toEqual(['den'])
  rooms.close()
  expect(log.watched).toEqual([])
})

test('a room that is no longer wanted is not retried', async () => {
  const { log, rooms } = started()
  const watching = rooms.want('den')
  await until(() => log.refused > 0, 'the watch has been tried')
  rooms.release('den')
  await watching
  log.there = true
  expect(log.watched).toEqual([])
})

test('a watch that is released while it starts is closed', async () => {
  const { log, rooms } = started()
  log.there = true
  const open = log.slow()
  const first = rooms.want('den')
  rooms.release('den')
  const second = rooms.want('den')
  open()
  await Promise.all([first, second])
  expect(log.watched).toEqual(['den'])
  rooms.release('den')
  expect(log.watched).toEqual([])
})
