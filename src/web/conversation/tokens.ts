/**
 * What stands in a text: links, code, mentions of oneself, and the rest. Pure. The tokens' texts, put together, are the text
 * again, character for character; nothing here makes markup.
 */
import { LinkifyIt } from 'linkify-it'

export type Token =
  | { readonly kind: 'plain' | 'mention'; readonly text: string }
  | { readonly kind: 'link'; readonly text: string; readonly url: string }
  /** `code` is what stands between the backticks; a block also swallows the line ends around it. */
  | { readonly kind: 'code' | 'block'; readonly text: string; readonly code: string }

const CODE = /\n?```(?:[\w+#.-]*\n)?([\s\S]+?)\n?```\n?|(?<!`)`([^`\n]+)`(?!`)/g
const PROTOCOLS = new Set(['http:', 'https:', 'mailto:'])

// Bare names with a dot are more often files ("index.ts") than places.
const linkify = new LinkifyIt({ fuzzyLink: false, fuzzyEmail: true }).add('ftp:', null).add('//', null)

/** @param name whose mentions (`@name`) are marked; none when empty */
export function tokensOf(text: string, name: string): Token[] {
  const tokens: Token[] = []
  let from = 0
  for (const match of text.matchAll(CODE)) {
    const [all, block, inline = ''] = match
    if ((block ?? inline).trim() === '') continue
    tokens.push(...linksOf(text.slice(from, match.index), name))
    tokens.push(
      block === undefined
        ? { kind: 'code', text: all, code: inline }
        : { kind: 'block', text: all, code: block },
    )
    from = match.index + all.length
  }
  return [...tokens, ...linksOf(text.slice(from), name)]
}

/** Whether a text calls this name, outside of code. */
export function mentions(text: string, name: string): boolean {
  return text.includes('@') && tokensOf(text, name).some(({ kind }) => kind === 'mention')
}

function linksOf(text: string, name: string): Token[] {
  const tokens: Token[] = []
  let from = 0
  for (const { index, lastIndex, url } of linkify.match(text) ?? []) {
    if (!isSafe(url)) continue
    tokens.push(...mentionsOf(text.slice(from, index), name))
    tokens.push({ kind: 'link', text: text.slice(index, lastIndex), url })
    from = lastIndex
  }
  return [...tokens, ...mentionsOf(text.slice(from), name)]
}

function isSafe(url: string): boolean {
  return URL.canParse(url) && PROTOCOLS.has(new URL(url).protocol)
}

function mentionsOf(text: string, name: string): Token[] {
  if (text === '') return []
  if (name === '' || !text.includes('@')) return [{ kind: 'plain', text }]
  const tokens: Token[] = []
  let from = 0
  for (const { index, 0: mention } of text.matchAll(mentionPattern(name))) {
    if (index > from) tokens.push({ kind: 'plain', text: text.slice(from, index) })
    tokens.push({ kind: 'mention', text: mention })
    from = index + mention.length
  }
  if (from < text.length) tokens.push({ kind: 'plain', text: text.slice(from) })
  return tokens
}

let known: { name: string; pattern: RegExp } | undefined

/** A name that goes on, or an address, is no mention. */
function mentionPattern(name: string): RegExp {
  if (known?.name !== name) {
    const literal = name.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
    known = { name, pattern: new RegExp(`(?<![\\p{L}\\p{N}_])@${literal}(?![\\p{L}\\p{N}_])`, 'giu') }
  }
  return known.pattern
}
