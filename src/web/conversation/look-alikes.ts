/**
 * Which names look alike (Unicode TR 39). Loaded when there are two people to tell apart: the table of characters is half as
 * large as the rest of the page.
 */
import { signal } from '@preact/signals'
import type { Skeleton } from './same-names.ts'

const INVISIBLE = /\p{Default_Ignorable_Code_Point}/gu
const REMEMBERED_MAX = 2_000

/** Unset until it is loaded: names are compared by their characters meanwhile. */
export const skeleton = signal<Skeleton | undefined>(undefined)

let loading: Promise<void> | undefined

/** Never rejects: when it can't be loaded, the next call tries again. */
export function loadSkeleton(): Promise<void> {
  loading ??= load().catch(() => {
    loading = undefined
  })
  return loading
}

async function load(): Promise<void> {
  const { default: unhomoglyph } = await import('unhomoglyph')
  skeleton.value = remembered((name) =>
    unhomoglyph(name.normalize('NFD').replaceAll(INVISIBLE, '')).normalize('NFD'),
  )
}

/** The same names are compared after each message. */
function remembered(of: Skeleton): Skeleton {
  const known = new Map<string, string>()
  return (name) => {
    const found = known.get(name)
    if (found !== undefined) return found
    if (known.size >= REMEMBERED_MAX) known.clear()
    const made = of(name)
    known.set(name, made)
    return made
  }
}
