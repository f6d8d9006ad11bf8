/** The same members and broadcasts for each setup; knows nothing of what serves them. */
import { EventEmitter, once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { io } from 'socket.io-client'

const MEMBERS = 500
export const BROADCASTS = 2_000
const TEXT = 'x'.repeat(90)
const AT_A_TIME = 16
const DEADLINE_MS = 120_000
const TRY_AGAIN_MS = 2_000

/** Pseudo-random draws, the same in each run. */
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

  /**
   * @param urls one per worker, in the same order of hosts for each setup; the host's own address may repeat
   */
  async begin(urls) {
    for (let room = 0; room < this.rooms; room += 1) {
      const places = Array.from({ length: this.#membersARoom }, () => urls[this.#draw(urls.length)])
      this.#members.push(await Promise.all(places.map((url) => this.#join(url, `room-${room}`))))
    }
    // A subscription may not be active yet when `join` is answered: each room is tried until all members
    // receive.
    for (let room = 0; room < this.rooms; room += 1) {
      for (let tries = 0; !(await this.#isDelivered(room, `first ${room} ${tries}`)); tries += 1) {
        if (tries === 10) throw new Error(`room ${room} does not deliver to all members`)
      }
    }
  }

  /** Resolves when all members have received everything. @returns milliseconds */
  async run() {
    const begun = Date.now()
    let next = 0
    const sender = async () => {
      while (next < BROADCASTS) {
        const text = `${String(next++).padStart(10, '0')}${TEXT}`
        if (!(await this.#isDelivered(this.#draw(this.rooms), text, DEADLINE_MS)))
          throw new Error('not delivered to all')
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

  /** A member of the room sends a text to all of them. */
  async #isDelivered(room, text, withinMs = TRY_AGAIN_MS) {
    const members = this.#members[room]
    const { promise, arrived, stop } = countdown(members.length, withinMs)
    this.#arrivals.set(text, arrived)
    await members[this.#draw(members.length)].emitWithAck('say', `room-${room}`, text)
    const isDelivered = await promise
    this.#arrivals.delete(text)
    stop()
    return isDelivered
  }

  #draw(below) {
    return this.#draws.next().value(below)
  }
}

/** Whether `count` arrivals happen in time. */
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
