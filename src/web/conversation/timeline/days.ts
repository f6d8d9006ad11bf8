/** Labels for days and times, in local time and in English. Pure: the current time is passed in. */
import { HOUR_CYCLE, LOCALE } from '../../app/locale.ts'

export interface DayLabelOptions {
  readonly now: number
  readonly locale?: string
}

/** The midnight before, local time: the same value for all times of a day. */
export function dayOf(at: number): number {
  const date = new Date(at)
  date.setHours(0, 0, 0, 0)
  return date.getTime()
}

/** Like `dayOf`, but fast for consecutive times. */
export function dayReader(): (at: number) => number {
  let start = Number.NaN
  let end = Number.NaN
  return (at) => {
    if (at >= start && at < end) return start
    start = dayOf(at)
    end = nextDay(start)
    return start
  }
}

function nextDay(start: number): number {
  const date = new Date(start)
  date.setDate(date.getDate() + 1)
  return date.getTime()
}

/** 'Today', 'Yesterday', 'Monday 16 March', 'Monday 16 March 2024'. */
export function dayLabel(day: number, { now, locale = LOCALE }: DayLabelOptions): string {
  const today = dayOf(now)
  if (day === today) return 'Today'
  if (nextDay(day) === today) return 'Yesterday'
  const sameYear = new Date(day).getFullYear() === new Date(now).getFullYear()
  return format(locale, {
    weekday: 'long',
    day: 'numeric',
    month: 'long',
    ...(sameYear ? {} : { year: 'numeric' }),
  }).format(day)
}

export function timeLabel(at: number): string {
  return format(LOCALE, { hour: 'numeric', minute: '2-digit', ...CLOCK }).format(at)
}

/** Without “am” or “pm”, for a narrow column below a time that has it. */
export function shortTimeLabel(at: number): string {
  const parts = format(LOCALE, { hour: 'numeric', minute: '2-digit', ...CLOCK }).formatToParts(at)
  return parts
    .filter(({ type }) => type !== 'dayPeriod')
    .map(({ value }) => value)
    .join('')
    .trim()
}

export function fullTimeLabel(at: number): string {
  return format(LOCALE, { dateStyle: 'full', timeStyle: 'medium', ...CLOCK }).format(at)
}

const CLOCK = HOUR_CYCLE === undefined ? {} : { hourCycle: HOUR_CYCLE }
const formats = new Map<string, Intl.DateTimeFormat>()

/** Cached, because creating a format takes longer than rendering a row. There are only four. */
function format(locale: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${locale} ${JSON.stringify(options)}`
  const found = formats.get(key) ?? new Intl.DateTimeFormat(locale, options)
  formats.set(key, found)
  return found
}
