/** Lays out rows of text in columns. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows]
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)))
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** Any JSON value as the text of one cell: `-` for null, numbers with at most two decimals. */
export function cellText(value: unknown): string {
  if (value === undefined || value === null) return '-'
  if (typeof value === 'number') return String(Math.round(value * 100) / 100)
  return typeof value === 'string' ? value : JSON.stringify(value)
}
