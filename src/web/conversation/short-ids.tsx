/** Tells people apart whose names look alike. */
import { useEffect, useMemo } from 'preact/hooks'
import type { Author } from '../../client/index.ts'
import { loadSkeleton, skeleton } from './look-alikes.ts'
import { type ShortIds, type Skeleton, shortIds } from './same-names.ts'

/** @param inputs what `people` depends on */
export function useShortIds(people: () => readonly Author[], inputs: readonly unknown[]): ShortIds {
  const all = useMemo(people, inputs)
  const known = useSkeleton(all.some(({ id }) => id !== all[0]?.id))
  return useMemo(() => shortIds(all, known), [all, known])
}

/** Undefined until it was needed and is loaded. */
export function useSkeleton(isNeeded: boolean): Skeleton | undefined {
  useEffect(() => {
    if (isNeeded) void loadSkeleton()
  }, [isNeeded])
  return skeleton.value
}

/** Beside a name. Nothing if the name is enough. */
export function ShortId({ id }: { readonly id: string | undefined }) {
  return id === undefined ? null : <span class="author-id">{id}</span>
}
