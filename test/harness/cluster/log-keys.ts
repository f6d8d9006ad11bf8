/** Duplicate keys in one line of the log. `JSON.parse` hides them: it keeps the last value of a key. */

/** A string with its escapes, and the colon that makes it a key; or an opening or closing bracket. */
const TOKENS = /("(?:[^"\\]|\\.)*")(\s*:)?|[{}[\]]/g

/** @param line one JSON object. @returns keys that the outer object has more than once */
export function duplicateKeys(line: string): string[] {
  const keys = new Set<string>()
  const twice: string[] = []
  let depth = 0
  for (const [token, text, colon] of line.matchAll(TOKENS)) {
    if (token === '{' || token === '[') depth += 1
    else if (token === '}' || token === ']') depth -= 1
    if (depth !== 1 || text === undefined || colon === undefined) continue
    const key = String(JSON.parse(text))
    if (keys.has(key)) twice.push(key)
    keys.add(key)
  }
  return twice
}
