/** Sums of plain numbers, and of counts by key. Pure. */

export function sumOf(numbers: Iterable<number>): number {
  let sum = 0
  for (const number of numbers) sum += number
  return sum
}

/** A key that is missing in a record counts as 0. */
export function sumByKey(records: Iterable<Readonly<Record<string, number>>>): Record<string, number> {
  const sums: Record<string, number> = {}
  for (const record of records)
    for (const [key, count] of Object.entries(record)) sums[key] = (sums[key] ?? 0) + count
  return sums
}
