/** Keys of one line of the log, which JSON's parser would hide: of a key that stands twice it shows the last alone. */

/** A string with all that is escaped in it, and whether a colon makes it a key; or what opens or closes. */
const TOKENS = /("(?:[^"\\]|\\.)*")(\s*:)?|[{}[\]]/g

/** @param line one JSON object. @returns the keys of the object itself that it has more than once */
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
