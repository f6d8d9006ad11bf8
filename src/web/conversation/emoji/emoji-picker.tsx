/**
 * The emoji picker: a search field and a grid. The arrow keys in the field move the selection in the grid.
 */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { isComposing } from '../../components/composing.ts'
import { EMOJI_GROUPS, type Emoji, findEmoji } from './emoji.ts'
import { ListGone, loadEmoji } from './emoji-data.ts'
import { recentEmoji, rememberEmoji } from './recent-emoji.ts'

interface EmojiPickerProps {
  readonly pick: (char: string) => void
  readonly close: () => void
}

/** `gone`: the server no longer has this version's list. */
type Failure = 'gone' | 'failed'

const COLUMNS = 8
const FOUND_MAX = 96

export function EmojiPicker({ pick, close }: EmojiPickerProps) {
  const [list, setList] = useState<readonly Emoji[] | Failure>([])
  const [query, setQuery] = useState('')
  const [chosen, setChosen] = useState(0)
  const panel = useRef<HTMLDivElement>(null)
  const field = useRef<HTMLInputElement>(null)

  useEffect(() => {
    let isWanted = true
    loadEmoji().then(
      (loaded) => isWanted && setList(loaded),
      (error) => isWanted && setList(error instanceof ListGone ? 'gone' : 'failed'),
    )
    field.current?.focus()
    return () => {
      isWanted = false
    }
  }, [])

  useEffect(() => onPressOutside(panel.current, close), [close])

  const all = typeof list === 'string' ? [] : list
  const recent = useMemo(() => recentOf(all), [all])
  const groups = useMemo(() => groupsOf(all, recent, query), [all, recent, query])
  const shown = useMemo(() => groups.flatMap(({ emoji }) => emoji), [groups])

  useEffect(() => {
    panel.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' })
  }, [chosen])

  const choose = (char: string) => {
    rememberEmoji(char)
    pick(char)
  }

  const pressed = (event: KeyboardEvent) => {
    if (isComposing(event)) return
    const moved = moveIn(groups, chosen, event.key)
    if (moved !== undefined) setChosen(moved)
    else if (event.key === 'Enter') {
      const emoji = shown[chosen]
      if (emoji !== undefined) choose(emoji.char)
    } else if (event.key === 'Escape') close()
    else return
    event.preventDefault()
    event.stopPropagation()
  }

  let index = -1
  return (
    <div class="emoji-picker" ref={panel} role="dialog" aria-label="Emoji" onKeyDown={pressed}>
      <input
        ref={field}
        class="field emoji-search"
        type="text"
        placeholder="Find an emoji"
        aria-label="Find an emoji"
        role="combobox"
        aria-expanded="true"
        aria-controls="emoji-grid"
        aria-activedescendant={shown.length > 0 ? `emoji-${chosen}` : undefined}
        autocomplete="off"
        value={query}
        onInput={(event) => {
          setQuery(event.currentTarget.value)
          setChosen(0)
        }}
      />
      <div class="emoji-grid" id="emoji-grid" role="listbox" aria-label="Emoji">
        {groups.map(({ name, emoji }) => (
          <div class="emoji-group" key={name} role="group" aria-label={name}>
            <p class="emoji-group-name" aria-hidden="true">
              {name}
            </p>
            <div class="emoji-cells">
              {emoji.map((one) => {
                index += 1
                const at = index
                return (
                  <EmojiCell
                    key={one.name}
                    emoji={one}
                    id={`emoji-${at}`}
                    isChosen={at === chosen}
                    pick={choose}
                    highlight={() => setChosen(at)}
                  />
                )
              })}
            </div>
          </div>
        ))}
        {shown.length === 0 && <p class="emoji-none">{noneText(list)}</p>}
      </div>
      <p class="emoji-name" aria-hidden="true">
        {shown[chosen] === undefined ? ' ' : `${shown[chosen].char} :${shown[chosen].name}:`}
      </p>
    </div>
  )
}

interface EmojiCellProps {
  readonly emoji: Emoji
  readonly id: string
  readonly isChosen: boolean
  readonly pick: (char: string) => void
  readonly highlight: () => void
}

function EmojiCell({ emoji, id, isChosen, pick, highlight }: EmojiCellProps) {
  return (
    <button
      type="button"
      role="option"
      class="emoji-cell"
      id={id}
      tabIndex={-1}
      aria-selected={isChosen}
      aria-label={emoji.name.replaceAll('_', ' ')}
      onMouseEnter={highlight}
      onClick={() => pick(emoji.char)}
    >
      {emoji.char}
    </button>
  )
}

interface EmojiGroup {
  readonly name: string
  readonly emoji: readonly Emoji[]
}

function recentOf(list: readonly Emoji[]): readonly Emoji[] {
  const known = new Map(list.map((emoji) => [emoji.char, emoji]))
  return recentEmoji().flatMap((char) => known.get(char) ?? [])
}

function groupsOf(list: readonly Emoji[], recent: readonly Emoji[], query: string): EmojiGroup[] {
  if (query.trim() !== '') {
    const emoji = findEmoji(list, query, FOUND_MAX)
    return emoji.length === 0 ? [] : [{ name: 'Found', emoji }]
  }
  const groups = [...EMOJI_GROUPS].map(([group, name]) => ({
    name,
    emoji: list.filter((emoji) => emoji.group === group),
  }))
  return [{ name: 'Recent', emoji: recent }, ...groups].filter(({ emoji }) => emoji.length > 0)
}

function noneText(list: readonly Emoji[] | Failure): string {
  if (list === 'gone') return 'There is a newer version of this page. Reload the page to see the emoji.'
  if (list === 'failed') return 'The emoji could not be loaded. Close this and try again.'
  return list.length === 0 ? 'Loading…' : 'No matches'
}

/** The index after a key. Each group starts a new row; up and down keep the column where possible. */
function moveIn(groups: readonly EmojiGroup[], from: number, key: string): number | undefined {
  const count = groups.reduce((sum, { emoji }) => sum + emoji.length, 0)
  if (count === 0) return undefined
  if (key === 'ArrowRight') return Math.min(count - 1, from + 1)
  if (key === 'ArrowLeft') return Math.max(0, from - 1)
  if (key !== 'ArrowDown' && key !== 'ArrowUp') return undefined
  const lines = groups.flatMap(({ emoji }) =>
    Array.from({ length: Math.ceil(emoji.length / COLUMNS) }, (_, line) =>
      Math.min(COLUMNS, emoji.length - line * COLUMNS),
    ),
  )
  const starts = [0]
  for (const length of lines) starts.push((starts.at(-1) ?? 0) + length)
  const line = starts.findLastIndex((start) => start <= from)
  const next = line + (key === 'ArrowDown' ? 1 : -1)
  const length = lines[next]
  const start = starts[next]
  if (length === undefined || start === undefined) return from
  return start + Math.min(from - (starts[line] ?? 0), length - 1)
}

function onPressOutside(panel: HTMLElement | null, close: () => void): () => void {
  const pressed = ({ target }: PointerEvent) => {
    if (!(target instanceof Element) || panel === null || panel.contains(target)) return
    if (target.closest('[data-opens="emoji"]') === null) close()
  }
  document.addEventListener('pointerdown', pressed)
  return () => document.removeEventListener('pointerdown', pressed)
}
