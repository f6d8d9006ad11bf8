/** Colours for terminals only: not for a pipe, a file, `NO_COLOR`, or a terminal without colours. */
import { styleText } from 'node:util'

export type Style = 'good' | 'bad' | 'warning' | 'faint' | 'strong'
export type Paint = (style: Style, text: string) => string

/** What is used of `process.stdout` and `process.stderr`. */
export interface Screen {
  readonly isTTY?: boolean
  readonly columns?: number
  hasColors?(): boolean
}

const FORMATS = {
  good: ['bold', 'green'],
  bad: ['bold', 'red'],
  warning: ['bold', 'yellow'],
  faint: ['gray'],
  strong: ['bold'],
} as const satisfies Record<Style, readonly string[]>

const DEFAULT_COLUMNS = 100
const MIN_COLUMNS = 40
/** Longer lines are hard to read. */
const MAX_COLUMNS = 120

export const unpainted: Paint = (_style, text) => text

const painted: Paint = (style, text) => styleText([...FORMATS[style]], text, { validateStream: false })

/** `hasColors` of Node.js respects NO_COLOR, FORCE_COLOR and TERM. */
export function paintFor(screen: Screen): Paint {
  return screen.isTTY === true && screen.hasColors?.() === true ? painted : unpainted
}

export function columnsOf(screen: Screen): number {
  return Math.min(MAX_COLUMNS, Math.max(MIN_COLUMNS, screen.columns ?? DEFAULT_COLUMNS))
}
