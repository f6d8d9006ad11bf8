/** A verdict as lines of text. */
import type { Audited } from '../model/result.ts'

export function verdictLines(verdict: Audited): string[] {
  return [
    headline(verdict),
    sends(verdict),
    deliveries(verdict),
    ...remarks(verdict),
    ...verdict.examples.map((line) => `  ${line}`),
  ]
}

function headline(verdict: Audited): string {
  if (verdict.ok) return 'Nothing was lost, duplicated, out of order or made up.'
  const defects = [
    part(verdict.lost, 'lost'),
    part(verdict.doubled, 'duplicated'),
    part(verdict.outOfOrder, 'out of order'),
    part(verdict.phantom, 'never sent'),
    verdict.overflowed ? 'the delivery records overflowed: later deliveries are unknown' : '',
  ]
  return `Failed: ${listed(defects)}.`
}

function sends({ sent, acked, refused, unanswered }: Audited): string {
  const ends = [part(acked, 'acked'), part(refused, 'refused'), part(unanswered, 'without an answer')]
  return `${figure(sent)} messages sent${sent === 0 ? '' : `: ${listed(ends)}`}.`
}

function deliveries({ expected, delivered, lost, lostWhileAway }: Audited): string {
  const away = lostWhileAway === 0 ? '' : `, of these ${figure(lostWhileAway)} while the member was away`
  return `${figure(delivered)} of ${figure(expected)} expected deliveries arrived${lost === 0 ? '' : `; ${figure(lost)} lost${away}`}.`
}

function remarks({ ordersDiffer, shownUnacked }: Audited): string[] {
  return [
    ...(ordersDiffer === 0
      ? []
      : [`${figure(ordersDiffer)} messages have different orders for different members.`]),
    ...(shownUnacked === 0
      ? []
      : [`${figure(shownUnacked)} messages were delivered though their senders got no ack.`]),
  ]
}

function part(count: number, what: string): string {
  return count === 0 ? '' : `${figure(count)} ${what}`
}

function listed(parts: readonly string[]): string {
  return parts.filter((one) => one !== '').join(', ')
}

function figure(count: number): string {
  return count.toLocaleString('en-US')
}
