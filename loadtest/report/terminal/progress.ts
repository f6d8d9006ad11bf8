/**
 * The progress line of a run: redrawn in place on a terminal, else written every few seconds. Meant for
 * stderr.
 */
import { digits, duration, lettersOf, plain, whole } from '../format.ts'
import { columnsOf, type Paint, paintFor, type Screen } from './paint.ts'

export interface ProgressState {
  /** `connecting`, `load`, `settling` … */
  phase: string
  elapsedMs: number
  /** null: unknown. */
  expectedMs: number | null
  clients: number
  connected: number
  /** Deliveries in the last second. */
  deliveredPerSec: number
  /** Of the last second; null without deliveries. */
  deliveryP99Ms: number | null
  /** Problems so far, in short: `12 disconnects`, `a worker died`. */
  problems: readonly string[]
}

export interface ProgressScreen extends Screen {
  write(text: string): unknown
}

const LINE_EVERY_MS = 5_000
const CLEAR = '\r\u001b[2K'

export class Progress {
  readonly #screen: ProgressScreen
  readonly #paint: Paint
  /** Time of the run's own clock. */
  #lastLineAtMs = Number.NEGATIVE_INFINITY
  #lastPhase = ''
  #drawn = ''

  constructor(screen: ProgressScreen) {
    this.#screen = screen
    this.#paint = paintFor(screen)
  }

  show(state: ProgressState): void {
    if (this.#screen.isTTY === true) this.#redraw(progressLine(state, columnsOf(this.#screen) - 1))
    else if (this.#isDue(state)) this.#screen.write(`${progressLine(state)}\n`)
  }

  /** A permanent line above the redrawn one. */
  note(line: string): void {
    this.#screen.write(`${this.#drawn === '' ? '' : CLEAR}${plain(line)}\n${this.#drawn}`)
  }

  /** Clears the progress line. */
  end(): void {
    if (this.#drawn !== '') this.#screen.write(CLEAR)
    this.#drawn = ''
  }

  #redraw(line: string): void {
    this.#drawn = this.#paint('faint', line)
    this.#screen.write(CLEAR + this.#drawn)
  }

  #isDue({ elapsedMs, phase }: ProgressState): boolean {
    const isAnotherRun = elapsedMs < this.#lastLineAtMs
    const due = isAnotherRun || phase !== this.#lastPhase || elapsedMs - this.#lastLineAtMs >= LINE_EVERY_MS
    if (!due) return false
    this.#lastLineAtMs = elapsedMs
    this.#lastPhase = phase
    return true
  }
}

/** @param columns cuts the line there; by default it is whole */
function progressLine(state: ProgressState, columns = Number.POSITIVE_INFINITY): string {
  const { elapsedMs, expectedMs, deliveryP99Ms } = state
  const of = expectedMs === null ? '' : ` of about ${duration(expectedMs)}`
  const parts = [
    `${plain(state.phase)}  ${duration(elapsedMs)}${of}`,
    `${whole(state.connected)} of ${whole(state.clients)} connected`,
    `${whole(state.deliveredPerSec)} deliveries/s`,
    ...(deliveryP99Ms === null ? [] : [`p99 ${digits(deliveryP99Ms)} ms`]),
    ...(state.problems.length === 0 ? [] : [`! ${state.problems.map(plain).join(', ')}`]),
  ]
  const letters = lettersOf(parts.join(' · '))
  return letters.length <= columns ? letters.join('') : `${letters.slice(0, columns - 1).join('')}…`
}
