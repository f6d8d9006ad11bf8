/** Formats numbers for terminal, page and Markdown alike. Knows no result. */

const LOCALE = 'en'
/** Placeholder for a figure that was not measured. */
export const NOTHING = '–'

const KIB = 1_024
const MIB = KIB ** 2
const GIB = KIB ** 3

/** Three significant digits, and separated thousands: 0.0123, 1.23, 12.3, 123, 12,345. */
export function digits(value: number): string {
  if (Math.abs(value) >= 100) return whole(value)
  return new Intl.NumberFormat(LOCALE, { maximumSignificantDigits: 3 }).format(value)
}

export function whole(value: number): string {
  return new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 0 }).format(value)
}

export function bytes(value: number): string {
  const [unit, size] = value >= GIB ? ['GiB', GIB] : value >= MIB ? ['MiB', MIB] : ['KiB', KIB]
  return `${digits(value / size)} ${unit}`
}

export function duration(ms: number): string {
  if (ms < 1_000) return `${digits(ms)} ms`
  if (ms < 120_000) return `${(ms / 1_000).toFixed(1)} s`
  const seconds = Math.round(ms / 1_000)
  return `${whole(Math.floor(seconds / 60))} min ${seconds % 60} s`
}

/** A time on a run's axis. */
export function moment(atMs: number): string {
  return `${(atMs / 1_000).toFixed(1)} s`
}

/** Three digits, so that a column is even. */
export function ratio(value: number): string {
  return Math.abs(value) >= 100 ? whole(value) : value.toPrecision(3)
}

export function percent(share: number): string {
  return `${digits(share * 100)} %`
}

export type Unit = 'ms' | 'µs' | 'bytes' | 'per second' | 'count' | 'cores'

export function inUnit(value: number | null, unit: Unit): string {
  if (value === null) return NOTHING
  if (unit === 'bytes') return bytes(value)
  if (unit === 'count') return whole(value)
  if (unit === 'per second') return `${digits(value)}/s`
  return `${digits(value)} ${unit}`
}

/**
 * Names and texts come from files and servers: characters that would move a cursor or change the writing
 * direction become `�`.
 */
export function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '�')
}

const SEGMENTER = new Intl.Segmenter(LOCALE)

/** Splits text into what a reader sees as one letter each. */
export function lettersOf(text: string): string[] {
  return Array.from(SEGMENTER.segment(text), ({ segment }) => segment)
}
