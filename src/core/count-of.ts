const number = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })

/** A count with its noun: `1 room`, `2 rooms`, `1,000 entries`. */
export function countOf(count: number, one: string, many = `${one}s`): string {
  return `${number.format(count)} ${count === 1 ? one : many}`
}
