/** Completion of the word at the caret: suggestions, key handling, and replacing `:name:` by its emoji. */
import { useState } from 'preact/hooks'
import { emojiNamed } from '../emoji/emoji.ts'
import { loadEmoji } from '../emoji/emoji-data.ts'
import { rememberEmoji } from '../emoji/recent-emoji.ts'
import { closedEmojiAt, completionAt, type Replacement } from './completion.ts'
import { type Mentionable, type Suggestion, useSuggestions } from './suggestions.tsx'
import type { ComposerField } from './use-composer-field.ts'

export interface Completing {
  readonly suggestions: readonly Suggestion[]
  /** Index of the selected suggestion. */
  readonly chosen: number
  readonly highlight: (index: number) => void
  readonly accept: (suggestion: Suggestion) => void
  /** The user has typed. */
  readonly written: (element: HTMLTextAreaElement) => void
  /** Hides the suggestions until the user types again. */
  readonly end: () => void
  /** @returns whether the key was handled */
  readonly chooseBy: (event: KeyboardEvent) => boolean
}

export function useCompletion(
  { field, text, put }: ComposerField,
  me: string,
  people: Mentionable,
): Completing {
  const [caret, setCaret] = useState<number>()
  const [index, setIndex] = useState(0)
  const completion = caret === undefined ? undefined : completionAt(text, caret)
  const suggestions = useSuggestions(completion, me, people)
  const last = suggestions.length - 1
  const chosen = Math.max(0, Math.min(index, last))
  const end = () => setCaret(undefined)

  const complete = (replacement: Replacement) => {
    put(replacement)
    end()
  }

  const accept = ({ text: by, emoji }: Suggestion) => {
    if (emoji !== undefined) rememberEmoji(emoji.char)
    if (completion !== undefined && caret !== undefined) complete({ from: completion.from, to: caret, by })
  }

  const chooseBy = ({ key, shiftKey }: KeyboardEvent): boolean => {
    const suggestion = suggestions[chosen]
    if (suggestion === undefined) return false
    if (key === 'ArrowDown') setIndex(chosen === last ? 0 : chosen + 1)
    else if (key === 'ArrowUp') setIndex(chosen === 0 ? last : chosen - 1)
    else if (key === 'Escape') end()
    else if ((key === 'Enter' && !shiftKey) || key === 'Tab') accept(suggestion)
    else return false
    return true
  }

  const closeEmoji = async (name: string, { value, at }: { value: string; at: number }) => {
    // Without the emoji list the text stays as it is.
    const emoji = emojiNamed(await loadEmoji().catch(() => []), name)
    if (emoji === undefined || field.current?.value !== value) return
    complete({ from: at - name.length - 2, to: at, by: emoji.char })
  }

  const written = ({ value, selectionStart: at }: HTMLTextAreaElement) => {
    setCaret(at)
    setIndex(0)
    const name = closedEmojiAt(value, at)
    if (name !== undefined) void closeEmoji(name, { value, at })
  }

  return { suggestions, chosen, highlight: setIndex, accept, written, end, chooseBy }
}
