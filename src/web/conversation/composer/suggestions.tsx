/** Suggestions for the word at the caret: emoji and people. The composer's keys select one. */
import { useEffect, useState } from 'preact/hooks'
import type { Author } from '../../../client/index.ts'
import { Avatar } from '../../components/avatar.tsx'
import { useFound } from '../../session/use-found.ts'
import { peopleFound } from '../../sidebar/people-search.ts'
import { type Emoji, findEmoji } from '../emoji/emoji.ts'
import { loadEmoji } from '../emoji/emoji-data.ts'
import { ShortId, useShortIds } from '../short-ids.tsx'
import type { Completion } from './completion.ts'

export interface Suggestion {
  readonly key: string
  /** The replacement text. */
  readonly text: string
  readonly emoji?: Emoji
  readonly user?: Author
  /** If somebody else's name looks the same. */
  readonly shortId?: string | undefined
}

const SHOWN_MAX = 6
const NOBODY: readonly Author[] = []

export interface Mentionable {
  /** Those that the page knows. */
  readonly known: () => readonly Author[]
  /** Asks the server. The same function as long as it asks the same. */
  readonly find: (search: string) => Promise<readonly Author[]>
}

export function useSuggestions(
  completion: Completion | undefined,
  me: string,
  people: Mentionable,
): readonly Suggestion[] {
  const [emoji, setEmoji] = useState<readonly Emoji[]>([])
  const found = useFound(completion?.kind === 'mention' ? completion.query : '', people.find)
  const wantsEmoji = completion?.kind === 'emoji'
  useEffect(() => {
    if (!wantsEmoji) return
    // If the list can't be loaded there are no suggestions; the emoji picker shows the error.
    loadEmoji().then(setEmoji, () => setEmoji([]))
  }, [wantsEmoji])
  const known = completion?.kind === 'mention' ? [...people.known(), ...found] : NOBODY
  const shortIds = useShortIds(() => known, [known])
  if (completion === undefined) return []
  if (completion.kind === 'emoji') {
    return findEmoji(emoji, completion.query, SHOWN_MAX).map((one) => ({
      key: one.name,
      text: `${one.char} `,
      emoji: one,
    }))
  }
  const others = known.filter(({ id }) => id !== me)
  return peopleFound(others, completion.query, SHOWN_MAX).map((user) => ({
    key: user.id,
    text: `@${user.name} `,
    user,
    shortId: shortIds.get(user.id),
  }))
}

interface SuggestionsProps {
  readonly list: readonly Suggestion[]
  readonly chosen: number
  readonly accept: (suggestion: Suggestion) => void
  readonly highlight: (index: number) => void
}

export function Suggestions({ list, chosen, accept, highlight }: SuggestionsProps) {
  return (
    <ul class="suggestions" id="suggestions" role="listbox" aria-label="Suggestions">
      {list.map((suggestion, index) => (
        <li
          key={suggestion.key}
          id={`suggestion-${index}`}
          role="option"
          class="suggestion"
          aria-selected={index === chosen}
          onMouseEnter={() => highlight(index)}
          onPointerDown={(event) => {
            // Keeps the focus in the textarea.
            event.preventDefault()
            accept(suggestion)
          }}
        >
          {suggestion.emoji !== undefined && (
            <>
              <span class="suggestion-emoji">{suggestion.emoji.char}</span>
              <span class="clipped">:{suggestion.emoji.name}:</span>
            </>
          )}
          {suggestion.user !== undefined && (
            <>
              <Avatar user={suggestion.user} size="s" />
              <bdi class="clipped">{suggestion.user.name}</bdi>
              <ShortId id={suggestion.shortId} />
            </>
          )}
        </li>
      ))}
    </ul>
  )
}
