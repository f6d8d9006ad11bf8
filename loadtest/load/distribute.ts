/** Distributes clients over processes in turn: counts differ by at most one. Pure. */
export function distribute<T>(items: readonly T[], parts: number): T[][] {
  const distributed: T[][] = Array.from({ length: parts }, () => [])
  for (const [place, item] of items.entries()) distributed[place % parts]?.push(item)
  return distributed
}
