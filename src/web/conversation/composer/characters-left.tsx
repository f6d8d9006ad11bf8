/** How much more can be written, once that is little. */

/** It shows from here on. */
const COUNTED_SHARE = 0.85

export function CharactersLeft({ count, max }: { readonly count: number; readonly max: number }) {
  if (count <= max * COUNTED_SHARE) return null
  return (
    <span class={count > max ? 'composer-count composer-count-over' : 'composer-count'} role="status">
      {(max - count).toLocaleString()}
      <span class="visually-hidden"> characters left</span>
    </span>
  )
}
