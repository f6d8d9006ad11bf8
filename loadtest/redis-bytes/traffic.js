/** The same members and the same broadcasts for each set-up; knows nothing of what serves them. */
import { EventEmitter, once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { io } from 'socket.io-client'

const MEMBERS = 500
export const BROADCASTS = 2_000
const TEXT = 'x'.repeat(90)
const AT_A_TIME = 16
const DEADLINE_MS = 120_000
const TRY_AGAIN_MS = 2_000

/** The same numbers from 0 to `below` in each run. */
function* draws(seed) {
  let state = seed
  while (true) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    yield (below) => Math.floor((state / 2 ** 32) * below)
  }
}

export class Traffic {
  #members = []
  #arrivals = new Map()
  #draws = draws(1)
  #membersARoom

  constructor(membersARoom) {
    this.#membersARoom = membersARoom
  }

  get rooms() {
    return Math.floor(MEMBERS / this.#membersARoom)
  }

  /** @param urls one a worker, in the same order of hosts for each set-up; a host's own for each of its workers will do */
  async begin(urls) {
    for (let room = 0; room < this.rooms; room += 1) {
      const places = Array.from({ length: this.#membersARoom }, () => urls[this.#draw(urls.length)])
      this.#members.push(await Promise.all(places.map((url) => this.#join(url, `room-${room}`))))
    }
    // A subscription may not stand yet when `join` has been answered: each room is tried until all hear.
    for (let room = 0; room < this.rooms; room += 1) {
      for (let tries = 0; !(await this.#isHeard(room, `first ${room} ${tries}`)); tries += 1) {
        if (tries === 10) throw new Error(`room ${room} is not whole`)
      }
    }
  }

  /** Resolves when all members have all of it. @returns milliseconds */
  async run() {
    const begun = Date.now()
    let next = 0
    const sender = async () => {
      while (next < BROADCASTS) {
        const text = `${String(next++).padStart(10, '0')}${TEXT}`
        if (!(await this.#isHeard(this.#draw(this.rooms), text, DEADLINE_MS)))
          throw new Error('not heard by all')
      }
    }
    await Promise.all(Array.from({ length: AT_A_TIME }, sender))
    return Date.now() - begun
  }

  end() {
    for (const socket of this.#members.flat()) socket.disconnect()
  }

  async #join(url, room) {
    const socket = io(url, { transports: ['websocket'], forceNew: true })
    socket.on('said', (text) => this.#arrivals.get(text)?.())
    await socket.timeout(DEADLINE_MS).emitWithAck('join', room)
    return socket
  }

  /** One of the room's members has something said to all of them. */
  async #isHeard(room, text, withinMs = TRY_AGAIN_MS) {
    const members = this.#members[room]
    const { promise, arrived, stop } = countdown(members.length, withinMs)
    this.#arrivals.set(text, arrived)
    await members[this.#draw(members.length)].emitWithAck('say', `room-${room}`, text)
    const isHeard = await promise
    this.#arrivals.delete(text)
    stop()
    return isHeard
  }

  #draw(below) {
    return this.#draws.next().value(below)
  }
}

/** Whether `count` have arrived in time. */
function countdown(count, withinMs) {
  const aborted = new AbortController()
  const late = delay(withinMs, false, { signal: aborted.signal }).catch(() => false)
  const all = new EventEmitter()
  let left = count
  const arrived = () => {
    left -= 1
    if (left === 0) all.emit('here')
  }
  const promise = Promise.race([once(all, 'here').then(() => true), late])
  return { promise, arrived, stop: () => aborted.abort() }
}
