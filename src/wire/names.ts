/**
 * What people may be called: a name can be seen, and two names that look the same to the reader are written the
 * same as far as one can tell from the characters alone. After Unicode TR 36 and TR 39. Pure; used by server and page.
 */
export const NAME_MAX_CHARS = 64

const UNPRINTABLE = /[\p{Cc}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/u
/** Characters without a shape: zero-width ones, fillers, direction controls, tags; and the blank braille pattern. */
const INVISIBLE_CLASS = String.raw`[\p{Default_Ignorable_Code_Point}\p{Cf}\u2800]`
const INVISIBLE = new RegExp(INVISIBLE_CLASS, 'u')
const VISIBLE = /[\p{L}\p{N}\p{P}\p{S}]/u
/** More marks on one letter are drawn over other lines. */
const STACKED_MARKS = /\p{Mn}{5}/u

const EMOJI = String.raw`\p{Extended_Pictographic}\p{Emoji_Modifier}?[\ufe0e\ufe0f]?`
const VIRAMA =
  '\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d4d\u0dca\u0f84\u1039\u103a\u17d2\u1b44\ua8c4\ua9c0'
const JOINED_SCRIPT = String.raw`[\p{Script=Arabic}\p{Script=Syriac}\p{Script=Mongolian}]`
/** Where a character without a shape of its own changes how its neighbours look. */
const SHAPING_SOURCE = [
  String.raw`\u{1f3f4}[\u{e0030}-\u{e007a}]+\u{e007f}`,
  String.raw`${EMOJI}(?:\u200d${EMOJI})*`,
  String.raw`[0-9#*]\ufe0f\u20e3`,
  String.raw`\p{Script=Han}[\u{e0100}-\u{e01ef}]`,
  String.raw`[${VIRAMA}][\u200c\u200d](?=\p{L})`,
  String.raw`${JOINED_SCRIPT}\u200c(?=${JOINED_SCRIPT})`,
].join('|')
const SHAPING = new RegExp(SHAPING_SOURCE, 'gu')
const SHAPING_OR_INVISIBLE = new RegExp(`(${SHAPING_SOURCE})|${INVISIBLE_CLASS}`, 'gu')

/** One spelling for what is drawn the same: composed characters, and single spaces. */
export function tidyName(written: string): string {
  return written
    .normalize('NFC')
    .replaceAll(/\p{Zs}+/gu, ' ')
    .trim()
}

/** Why a tidy name is not valid for a person; undefined if it is. */
export function nameProblem(name: string, maxChars = NAME_MAX_CHARS): string | undefined {
  if (name === '') return 'a name has at least one character'
  if (name.length > maxChars) return `a name can have at most ${maxChars} characters`
  if (UNPRINTABLE.test(name)) return 'a name can’t contain control characters'
  if (hasInvisible(name)) return 'a name can’t contain invisible characters'
  if (!VISIBLE.test(name) || /^\p{M}/u.test(name))
    return 'a name needs a character that can be seen by itself'
  if (hasStackedMarks(name)) return 'a name can have at most four marks on one letter'
  return undefined
}

/** Except where it shapes its neighbours. */
export function hasInvisible(name: string): boolean {
  return INVISIBLE.test(name.replaceAll(SHAPING, ''))
}

export function hasStackedMarks(name: string): boolean {
  return STACKED_MARKS.test(name)
}

/** For the rare id that has nothing to see either. */
const NAMELESS = 'No name'

/**
 * The name of a user that a token or another server gives. Its user can't change it here, so what would be refused from a
 * person is left out. Without a name, or when nothing remains to be seen: the id.
 */
export function givenName(name: unknown, id: string): string {
  return (typeof name === 'string' ? validOrNone(name) : undefined) ?? validOrNone(id) ?? NAMELESS
}

function validOrNone(written: string): string | undefined {
  const name = shortened(mended(written))
  return nameProblem(name) === undefined ? name : undefined
}

function mended(written: string): string {
  const visible = written
    .normalize('NFC')
    .replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]/gu, ' ')
    .replaceAll(/[\p{Cs}\p{Co}]/gu, '')
    .replaceAll(SHAPING_OR_INVISIBLE, (_match, shaping: string | undefined) => shaping ?? '')
    .replaceAll(/(\p{Mn}{4})\p{Mn}+/gu, '$1')
  // A mark at the start has no letter to stand on.
  return tidyName(visible.replace(/^[\p{M}\p{Zs}]+/u, ''))
}

/** Cut between characters as people see them. */
function shortened(name: string): string {
  if (name.length <= NAME_MAX_CHARS) return name
  let kept = ''
  for (const { segment } of new Intl.Segmenter().segment(name)) {
    if (kept.length + segment.length >= NAME_MAX_CHARS) break
    kept += segment
  }
  return `${mended(kept)}…`
}

const RIGHT_TO_LEFT =
  /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\p{Script=Adlam}]/u

/** A name for the middle of a sentence: the words around one written from right to left keep their places. */
export function isolated(name: string): string {
  return RIGHT_TO_LEFT.test(name) ? `\u2068${name}\u2069` : name
}
