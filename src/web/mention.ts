/** Whether a text speaks to somebody by `@name`. Pure. */

/** A test for texts that mention this name: as a whole, in whatever case. */
export function mentionsOf(name: string): (text: string) => boolean {
  const escaped = name.trim().replaceAll(/[.*+?^${}()|[\]\\/-]/g, String.raw`\$&`)
  if (escaped === '') return () => false
  const pattern = new RegExp(String.raw`(?<![\p{L}\p{N}_@])@${escaped}(?![\p{L}\p{N}_])`, 'iu')
  return (text) => text.includes('@') && pattern.test(text)
}
