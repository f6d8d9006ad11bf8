/** Text layout: lines wrapped under a label, and tables that fit the width. Pure. */
import { lettersOf } from '../format.ts'
import type { Paint, Style } from './paint.ts'

export interface Piece {
  text: string
  style?: Style
}

export interface Canvas {
  columns: number
  paint: Paint
}

const LABEL_WIDTH = 11
const BETWEEN = '·'
const GAP = '  '

const widthOf = (text: string): number => lettersOf(text).length

/** `label` on the left, then the pieces separated by dots, wrapped under themselves. */
export function labelled(label: string, pieces: readonly Piece[], canvas: Canvas): string[] {
  const room = canvas.columns - LABEL_WIDTH
  return wrap(wordsOf(pieces, room), room).map((words, index) => {
    const head = canvas.paint('faint', (index === 0 ? label : '').padEnd(LABEL_WIDTH))
    return head + words.map(({ text, style }) => colour(text, style, canvas)).join(' ')
  })
}

/** Text over the whole width; `lead` precedes its first line, and further lines are indented by its width. */
export function paragraph(piece: Piece, canvas: Canvas, lead = ''): string[] {
  const margin = ' '.repeat(widthOf(lead))
  return wrap(wordsOf([piece], 0), canvas.columns - margin.length).map((words, index) => {
    const line = words.map(({ text }) => text).join(' ')
    return colour((index === 0 ? lead : margin) + line, piece.style, canvas)
  })
}

function colour(text: string, style: Style | undefined, { paint }: Canvas): string {
  return style === undefined ? text : paint(style, text)
}

/** A piece that fits on one line is not broken. */
function wordsOf(pieces: readonly Piece[], room: number): Piece[] {
  return pieces.flatMap((piece, index) => {
    const whole = widthOf(piece.text) <= room
    const words = whole ? [piece] : piece.text.split(' ').map((text) => ({ ...piece, text }))
    return index === 0 ? words : [{ text: BETWEEN, style: 'faint' as const }, ...words]
  })
}

function wrap(words: readonly Piece[], width: number): Piece[][] {
  const lines: Piece[][] = []
  let line: Piece[] = []
  let used = 0
  for (const word of words.flatMap((each) => cut(each, width))) {
    const needed = widthOf(word.text) + (line.length === 0 ? 0 : 1)
    if (used + needed > width) {
      lines.push(line)
      line = []
      used = 0
      if (word.text === BETWEEN) continue
    }
    used += widthOf(word.text) + (line.length === 0 ? 0 : 1)
    line.push(word)
  }
  return line.length === 0 ? lines : [...lines, line]
}

/** A word longer than a line is broken. */
function cut(word: Piece, width: number): Piece[] {
  const letters = lettersOf(word.text)
  if (letters.length <= width) return [word]
  const pieces: Piece[] = []
  for (let start = 0; start < letters.length; start += width) {
    pieces.push({ ...word, text: letters.slice(start, start + width).join('') })
  }
  return pieces
}

export interface Table {
  head: readonly string[]
  rows: readonly (readonly Piece[])[]
  /** Columns to drop first if the width is too small. */
  dispensable?: readonly number[]
  /** Columns aligned to the left, like the first. */
  words?: readonly number[]
}

/** Aligns the first column and text columns to the left, all others to the right. */
export function tabulated(table: Table, canvas: Canvas): string[] {
  const { head, rows, words = [] } = fitting(table, canvas.columns)
  const widths = widthsOf(head, rows)
  const line = (cells: readonly Piece[]): string =>
    cells
      .map(({ text, style }, column) => {
        const width = widths[column] ?? 0
        const space = ' '.repeat(Math.max(0, width - widthOf(text)))
        return colour(column === 0 || words.includes(column) ? text + space : space + text, style, canvas)
      })
      .join(GAP)
      .trimEnd()
  return [line(head.map((text) => ({ text, style: 'faint' as const }))), ...rows.map(line)]
}

function widthsOf(head: readonly string[], rows: Table['rows']): number[] {
  return head.map((title, column) =>
    Math.max(widthOf(title), ...rows.map((row) => widthOf(row[column]?.text ?? ''))),
  )
}

function fitting(table: Table, columns: number): Table {
  const [first, ...others] = table.dispensable ?? []
  const widths = widthsOf(table.head, table.rows)
  const needed = widths.reduce((sum, width) => sum + width, GAP.length * (widths.length - 1))
  if (needed <= columns || first === undefined) return table
  const without = <T>(cells: readonly T[]): T[] => cells.filter((_cell, column) => column !== first)
  const shifted = (each: readonly number[]): number[] =>
    each.filter((column) => column !== first).map((column) => (column > first ? column - 1 : column))
  const rest = { dispensable: shifted(others), words: shifted(table.words ?? []) }
  return fitting({ head: without(table.head), rows: table.rows.map(without), ...rest }, columns)
}
