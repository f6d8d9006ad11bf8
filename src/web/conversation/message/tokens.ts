/**
 * Splits a text into links, code, mentions of the user, and plain text. Pure. The concatenated tokens are the
 * original text, character for character.
 */
import { LinkifyIt } from 'linkify-it'
import { mentionPattern } from './mentions.ts'

export type Token =
  | { readonly kind: 'plain' | 'mention'; readonly text: string }
  | { readonly kind: 'link'; readonly text: string; readonly url: string }
  /** `code`: the content between the backticks; a block also includes the line breaks around it in `text`. */
  | { readonly kind: 'code' | 'block'; readonly text: string; readonly code: string }

interface Found {
  readonly from: number
  readonly to: number
  readonly token: Token
}

/** A block, or the character before an inline code and the code. No look-behind: Safari knows it only since 16.4. */
const CODE = /\n?```(?:[\w+#.-]*\n)?([\s\S]+?)\n?```\n?|(^|[^`])(`([^`\n]+)`)(?!`)/g
const PROTOCOLS = new Set(['http:', 'https:', 'mailto:'])

const WWW = 'www.'
const WWW_HOST = /^www\.[^\s./]+\.[^\s.]/i
/** The part of an address that is looked at. */
const WWW_MAX = 2_000
// Names with a dot are more often files ("index.ts") than hosts.
const linkify = new LinkifyIt({ fuzzyLink: false, fuzzyEmail: true, urlAuth: true })
  .add('ftp:', null)
  .add('//', null)
  .add(WWW, {
    validate: (text, pos, self) => {
      const address = text.slice(pos - WWW.length, pos + WWW_MAX)
      const length = WWW_HOST.test(address) ? self.testSchemaAt(`//${address}`, 'https:', 0) : 0
      return Math.max(0, length - WWW.length - '//'.length)
    },
    normalize: (match) => {
      match.url = `https://${match.url}`
    },
  })

/** @param name mentions of this name (`@name`) become tokens; none if empty */
export function tokensOf(text: string, name: string): Token[] {
  const mentioned = mentionsIn(text, name)
  const coded = firstOf([...codeIn(text), ...mentioned]).filter(({ token }) => token.kind !== 'mention')
  return whole(text, firstOf([...coded, ...linksAround(coded, text), ...mentioned]))
}

/** Whether a text mentions this name, outside of code and links. */
export function mentions(text: string, name: string): boolean {
  return text.includes('@') && tokensOf(text, name).some(({ kind }) => kind === 'mention')
}

/**
 * Of overlapping matches, keeps the one that begins first. A name can look like a link, and a link can
 * contain a name.
 */
function firstOf(found: readonly Found[]): Found[] {
  let end = 0
  return found
    .toSorted((a, b) => a.from - b.from)
    .filter(({ from, to }) => {
      if (from < end) return false
      end = to
      return true
    })
}

/** Adds the plain text between the matches. */
function whole(text: string, found: readonly Found[]): Token[] {
  const tokens: Token[] = []
  let end = 0
  for (const { from, to, token } of found) {
    if (from > end) tokens.push({ kind: 'plain', text: text.slice(end, from) })
    tokens.push(token)
    end = to
  }
  if (end < text.length) tokens.push({ kind: 'plain', text: text.slice(end) })
  return tokens
}

function mentionsIn(text: string, name: string): Found[] {
  const pattern = text.includes('@') ? mentionPattern(name) : undefined
  if (pattern === undefined) return []
  return [...text.matchAll(pattern)].map(({ index, 1: before = '', 2: called = '' }) => {
    const from = index + before.length
    return { from, to: from + called.length, token: { kind: 'mention', text: called } }
  })
}

function codeIn(text: string): Found[] {
  return [...text.matchAll(CODE)].flatMap(
    ({ index, 0: all, 1: block, 2: before = '', 3: quoted = all, 4: inline = '' }) => {
      const code = block ?? inline
      if (code.trim() === '') return []
      const kind = block === undefined ? 'code' : 'block'
      const from = index + before.length
      return [{ from, to: from + quoted.length, token: { kind, text: quoted, code } }]
    },
  )
}

function linksAround(coded: readonly Found[], text: string): Found[] {
  const links: Found[] = []
  let end = 0
  for (const { from, to } of [...coded, { from: text.length, to: text.length }]) {
    links.push(...linksIn(text.slice(end, from), end))
    end = to
  }
  return links
}

function linksIn(text: string, start: number): Found[] {
  return (linkify.match(text) ?? [])
    .filter(({ url }) => isSafe(url))
    .map(({ index, lastIndex, url }) => ({
      from: start + index,
      to: start + lastIndex,
      token: { kind: 'link', text: text.slice(index, lastIndex), url },
    }))
}

function isSafe(url: string): boolean {
  return URL.canParse(url) && PROTOCOLS.has(new URL(url).protocol)
}
