/** Finds names by a part of them: those that begin with it first, then those with a word that does, then the rest. Pure. */

/** Names are compared in this form: without case, accents, width and repeated spaces. */
export function foldedName(text: string): string {
  return text.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase().trim().replaceAll(/\s+/g, ' ')
}

export interface NameSearch<T> {
  /** As `foldedName` returns it. */
  readonly wanted: string
  /** The name of a candidate, in the same form. */
  readonly nameOf: (candidate: T) => string
  readonly max: number
}

/** At most `max` of the candidates, in their order among equals. */
export function bestMatches<T>(candidates: Iterable<T>, { wanted, nameOf, max }: NameSearch<T>): T[] {
  const found: T[][] = [[], [], []]
  for (const candidate of candidates) {
    const ranked = found[rankOf(nameOf(candidate), wanted) ?? found.length]
    if (ranked !== undefined && ranked.length < max) ranked.push(candidate)
    if (found[0]?.length === max) break
  }
  return found.flat().slice(0, max)
}

/** 0: the name begins with it, 1: a word of it does, 2: it is within a word; undefined: it is not in the name. */
function rankOf(name: string, wanted: string): 0 | 1 | 2 | undefined {
  let at = name.indexOf(wanted)
  if (at <= 0) return at === 0 ? 0 : undefined
  while (at > 0) {
    if (WORD_ENDS.test(name.slice(0, at))) return 1
    at = name.indexOf(wanted, at + 1)
  }
  return 2
}

const WORD_ENDS = /[^\p{L}\p{N}]$/u
