/** Deals clients out to processes, one after the other: no process has more than one client more than another. Pure. */
export function distribute<T>(items: readonly T[], hands: number): T[][] {
  const dealt: T[][] = Array.from({ length: hands }, () => [])
  for (const [place, item] of items.entries()) dealt[place % hands]?.push(item)
  return dealt
}
