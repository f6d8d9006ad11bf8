/** Suggestions ("did you mean") for unknown names. Pure. */

/** The candidate with the fewest edits from `name`, if it is close enough. */
function nearest(name: string, candidates: readonly string[]): string | undefined {
  let best: { candidate: string; distance: number } | undefined
  for (const candidate of candidates) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase())
    if (best === undefined || distance < best.distance) best = { candidate, distance }
  }
  if (best === undefined || best.distance > Math.ceil(name.length / 3)) return undefined
  return best.candidate
}

/** ` (did you mean X?)` or nothing. */
export function didYouMean(name: string, candidates: readonly string[]): string {
  const candidate = nearest(name, candidates)
  return candidate === undefined ? '' : ` (did you mean ${candidate}?)`
}

/** Levenshtein distance, one row at a time. Texts are cut to 100 characters to limit the work. */
function editDistance(from: string, to: string): number {
  const a = from.slice(0, 100)
  const b = to.slice(0, 100)
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
