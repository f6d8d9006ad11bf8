/** The number of characters left, shown near the limit. */

import { numberText } from '../../app/locale.ts'

/** Share of the limit from which the counter is shown. */
const COUNTED_SHARE = 0.85

export function CharactersLeft({ count, max }: { readonly count: number; readonly max: number }) {
  if (count <= max * COUNTED_SHARE) return null
  return (
    <span class={count > max ? 'composer-count composer-count-over' : 'composer-count'} role="status">
      {numberText(max - count)}
      <span class="visually-hidden"> characters left</span>
    </span>
  )
}
