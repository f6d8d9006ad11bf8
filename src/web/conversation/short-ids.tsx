/** Tells people apart whose names look the same. */
import { useMemo } from 'preact/hooks'
import type { Author } from '../../client/index.ts'
import { type ShortIds, shortIds } from './same-names.ts'

/** @param inputs what `people` depends on */
export function useShortIds(people: () => Iterable<Author>, inputs: readonly unknown[]): ShortIds {
  return useMemo(() => shortIds(people()), inputs)
}

/** Beside a name. Nothing if the name is enough. */
export function ShortId({ id }: { readonly id: string | undefined }) {
  return id === undefined ? null : <span class="author-id">{id}</span>
}
