/** Where messages are written, and changed. Says what can't be sent and why; never cuts anything silently. */
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { ChatClient, ChatMessage, ChatRoom } from '../../client/index.ts'
import { CheckIcon, CloseIcon, EditIcon, SendIcon, SmileIcon } from '../icons.tsx'
import { isTouched } from './attention.ts'
import { codePointsIn } from './characters.ts'
import { closedEmojiAt, completionAt, type Edit, replaced } from './completion.ts'
import { useComposerText } from './composer-text.ts'
import { emojiNamed } from './emoji.ts'
import { loadEmoji } from './emoji-data.ts'
import { EmojiPicker } from './emoji-picker.tsx'
import { useRoom } from './room-events.ts'
import { type Suggestion, Suggestions, useSuggestions } from './suggestions.tsx'
import { tooLongWords } from './words.ts'

export interface ComposerHandle {
  readonly focus: () => void
  /** At the caret, with a space before it where one is missing. */
  readonly insert: (text: string) => void
}

interface ComposerProps {
  readonly chat: ChatClient
  readonly room: ChatRoom
  readonly me: string
  readonly title: string
  readonly editing: ChatMessage | undefined
  readonly handle: { current: ComposerHandle | undefined }
  readonly sent: () => void
  /** The user's last message, to be changed. */
  readonly editLast: () => boolean
  /** Ends the editing; with nothing left of the text, the message is to be removed. */
  readonly edited: (outcome: 'done' | 'cancelled' | 'emptied') => void
}

/** Before the server has said so. */
const TEXT_MAX_CHARS = 4_000
/** The counter shows from here on. */
const COUNTED_SHARE = 0.85
const LINES_SHOWN_MAX_PX = 220
const PRESENCE = ['presence'] as const

export function Composer(props: ComposerProps) {
  const { chat, room, me, title, editing, handle, sent, editLast, edited } = props
  const field = useRef<HTMLTextAreaElement>(null)
  const { text, set } = useComposerText(room, editing)
  const [problem, setProblem] = useState('')
  const [isPicking, setPicking] = useState(false)
  const [caret, setCaret] = useState<number>()
  const [chosen, setChosen] = useState(0)
  const members = useRoom(room, PRESENCE, (known) => known.members.list)
  const completion = caret === undefined ? undefined : completionAt(text, caret)
  const suggestions = useSuggestions(
    completion,
    members.filter(({ id }) => id !== me),
  )
  const max = useTextMax(chat)
  const count = codePointsIn(text)
  const isTooLong = count > max
  const nextCaret = useRef<number | undefined>(undefined)

  useLayoutEffect(() => {
    const element = field.current
    if (element === null) return
    fit(element)
    if (nextCaret.current === undefined) return
    element.setSelectionRange(nextCaret.current, nextCaret.current)
    nextCaret.current = undefined
  }, [text])

  useEffect(() => {
    if (!isTouched()) field.current?.focus()
  }, [room])

  const editedId = editing?.id
  useEffect(() => {
    if (editedId === undefined) return
    field.current?.focus()
    field.current?.setSelectionRange(field.current.value.length, field.current.value.length)
  }, [editedId])

  const put = ({ text: next, caret: to }: Edit) => {
    nextCaret.current = to
    set(next)
    setCaret(undefined)
    setProblem('')
    field.current?.focus()
  }

  handle.current = {
    focus: () => field.current?.focus(),
    insert: (word) => {
      const at = field.current?.selectionStart ?? text.length
      const gap = at > 0 && !/\s/.test(text[at - 1] ?? '') ? ' ' : ''
      put(replaced(text, at, field.current?.selectionEnd ?? at, gap + word))
    },
  }

  const take = ({ text: by }: Suggestion) => {
    if (completion !== undefined && caret !== undefined) put(replaced(text, completion.from, caret, by))
  }

  const submit = () => {
    const whole = text.replace(/^\s*\n|\s+$/g, '')
    if (isTooLong) return setProblem(tooLongWords(count, max))
    if (editing !== undefined) {
      if (whole === '') return edited('emptied')
      if (whole !== editing.text && editing.seq !== undefined)
        attempt(() => room.edit(editing.seq ?? 0, whole))
      return edited('done')
    }
    if (whole === '') return undefined
    if (!attempt(() => room.send(whole))) return undefined
    set('')
    setCaret(undefined)
    return sent()
  }

  /** @returns whether it was taken */
  const attempt = (act: () => unknown): boolean => {
    try {
      act()
      setProblem('')
      return true
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error))
      return false
    }
  }

  const pressed = (event: KeyboardEvent) => {
    if (event.isComposing || event.keyCode === 229) return
    if (suggestions.length > 0 && chooseBy(event)) return event.preventDefault()
    if (event.key === 'Enter' && !event.shiftKey && !event.altKey && !isTouched()) {
      event.preventDefault()
      submit()
    } else if (event.key === 'Escape' && editing !== undefined) edited('cancelled')
    else if (event.key === 'ArrowUp' && text === '' && editLast()) event.preventDefault()
  }

  /** @returns whether the key was meant for the suggestions */
  const chooseBy = ({ key, shiftKey }: KeyboardEvent): boolean => {
    const last = suggestions.length - 1
    if (key === 'ArrowDown') setChosen(chosen === last ? 0 : chosen + 1)
    else if (key === 'ArrowUp') setChosen(chosen === 0 ? last : chosen - 1)
    else if (key === 'Escape') setCaret(undefined)
    else if ((key === 'Enter' && !shiftKey) || key === 'Tab') {
      const suggestion = suggestions[Math.min(chosen, last)]
      if (suggestion !== undefined) take(suggestion)
    } else return false
    return true
  }

  const written = (element: HTMLTextAreaElement) => {
    const { value, selectionStart } = element
    set(value)
    setCaret(selectionStart)
    setChosen(0)
    setProblem('')
    const name = closedEmojiAt(value, selectionStart)
    if (name !== undefined) void closeEmoji(name, value, selectionStart)
  }

  const closeEmoji = async (name: string, value: string, at: number) => {
    const emoji = emojiNamed(await loadEmoji().catch(() => []), name)
    if (emoji === undefined || field.current?.value !== value) return
    put(replaced(value, at - name.length - 2, at, emoji.char))
  }

  const pasted = (event: ClipboardEvent) => {
    const more = event.clipboardData?.getData('text/plain') ?? ''
    const { selectionStart, selectionEnd } = field.current ?? { selectionStart: 0, selectionEnd: 0 }
    const whole = text.length - (selectionEnd - selectionStart) + more.length
    if (whole <= max) return
    const after = codePointsIn(text.slice(0, selectionStart) + more + text.slice(selectionEnd))
    if (after <= max) return
    event.preventDefault()
    setProblem(`Not pasted. ${tooLongWords(after, max)}`)
  }

  const canSend = text.trim() !== '' && !isTooLong
  return (
    <div class={editing === undefined ? 'composer' : 'composer composer-editing'}>
      {editing !== undefined && (
        <div class="composer-banner">
          <EditIcon size={16} />
          <span>Editing message</span>
          <span class="composer-hint">Esc to cancel</span>
          <button
            type="button"
            class="icon-button icon-button-small"
            aria-label="Cancel editing"
            onClick={() => edited('cancelled')}
          >
            <CloseIcon size={16} />
          </button>
        </div>
      )}
      {problem !== '' && (
        <p class="composer-problem" role="alert">
          {problem}
        </p>
      )}
      {suggestions.length > 0 && (
        <Suggestions
          list={suggestions}
          chosen={Math.min(chosen, suggestions.length - 1)}
          take={take}
          point={setChosen}
        />
      )}
      {isPicking && (
        <EmojiPicker
          pick={(char) => {
            setPicking(false)
            put(
              replaced(
                text,
                field.current?.selectionStart ?? text.length,
                field.current?.selectionEnd ?? text.length,
                char,
              ),
            )
          }}
          close={() => {
            setPicking(false)
            field.current?.focus()
          }}
        />
      )}
      <div class="composer-box">
        <textarea
          ref={field}
          class="composer-field"
          rows={1}
          dir="auto"
          value={text}
          placeholder={editing === undefined ? `Message ${title}` : 'The changed message'}
          aria-label={editing === undefined ? `Message ${title}` : 'Change the message'}
          aria-invalid={isTooLong}
          aria-autocomplete="list"
          aria-controls={suggestions.length > 0 ? 'suggestions' : undefined}
          aria-activedescendant={suggestions.length > 0 ? `suggestion-${chosen}` : undefined}
          enterkeyhint={isTouched() ? 'enter' : 'send'}
          autocomplete="off"
          onInput={(event) => written(event.currentTarget)}
          onKeyDown={pressed}
          onPaste={pasted}
          onBlur={() => setCaret(undefined)}
        />
        {count > max * COUNTED_SHARE && (
          <span class={isTooLong ? 'composer-count composer-count-over' : 'composer-count'} role="status">
            {(max - count).toLocaleString()}
            <span class="unseen"> characters left</span>
          </span>
        )}
        <button
          type="button"
          class="icon-button"
          data-opens="emoji"
          aria-label="Emoji"
          title="Emoji"
          aria-expanded={isPicking}
          onClick={() => setPicking(!isPicking)}
        >
          <SmileIcon />
        </button>
        <button
          type="button"
          class="icon-button composer-send"
          aria-label={editing === undefined ? 'Send' : 'Save'}
          title={editing === undefined ? 'Send' : 'Save'}
          disabled={!canSend && editing === undefined}
          onPointerDown={(event) => event.preventDefault()}
          onClick={submit}
        >
          {editing === undefined ? <SendIcon /> : <CheckIcon />}
        </button>
      </div>
    </div>
  )
}

function useTextMax(chat: ChatClient): number {
  const [limits, setLimits] = useState(chat.limits)
  useEffect(() => {
    setLimits(chat.limits)
    return chat.on('limits', setLimits)
  }, [chat])
  return limits?.textMaxChars ?? TEXT_MAX_CHARS
}

/** As high as its text, up to a bound. */
function fit(element: HTMLTextAreaElement): void {
  element.style.blockSize = 'auto'
  element.style.blockSize = `${Math.min(element.scrollHeight, LINES_SHOWN_MAX_PX)}px`
}
