/**
 * The composer, where messages are written and edited. Explains what can't be sent; never truncates silently.
 */
import { useCallback, useState } from 'preact/hooks'
import type { Author, ChatClient, ChatMessage, ChatRoom } from '../../../client/index.ts'
import { isComposing } from '../../components/composing.ts'
import { CheckIcon, SendIcon, SmileIcon } from '../../components/icons.tsx'
import { countCodePoints } from '../characters.ts'
import { EmojiPicker } from '../emoji/emoji-picker.tsx'
import { isTouchDevice } from '../page-focus.ts'
import { tooLongText } from '../sentences.ts'
import { useRoomValue } from '../use-room-value.ts'
import { CharactersLeft } from './characters-left.tsx'
import { EditingBanner } from './editing-banner.tsx'
import { Suggestions } from './suggestions.tsx'
import { useCompletion } from './use-completion.ts'
import { useComposerField } from './use-composer-field.ts'
import { hasFiles, NO_FILES, useDroppedFiles } from './use-files.ts'
import { useSubmit } from './use-submit.ts'
import { useTextMax } from './use-text-max.ts'

export interface ComposerHandle {
  readonly focus: () => void
  /** Inserts at the caret, with a space before it if needed. */
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
  /** Starts editing the user's last message. @returns whether there is one */
  readonly editLast: () => boolean
  /** Ends the edit. `emptied`: the user removed the whole text, so the message is to be removed. */
  readonly edited: (outcome: 'done' | 'cancelled' | 'emptied') => void
}

/** Whoever is here or has written here lately. */
function mentionable({ messages }: ChatRoom, members: readonly Author[]): readonly Author[] {
  return [...members, ...messages.map(({ from }) => from).toReversed()]
}

/** Members that are not listed here, and others that the server knows. */
async function findMentionable(chat: ChatClient, room: ChatRoom, search: string): Promise<readonly Author[]> {
  const isListed = room.members.list.length >= room.members.count
  const [members, people] = await Promise.all([
    isListed ? [] : room.findMembers(search),
    // The server may not allow it.
    chat.findPeople(search).catch(() => []),
  ])
  return [...members, ...people]
}

const PRESENCE = ['presence'] as const

export function Composer(props: ComposerProps) {
  const { chat, room, me, title, editing, handle, sent, editLast, edited } = props
  const [isPicking, setPicking] = useState(false)
  const members = useRoomValue(room, PRESENCE, (known) => known.members.list)
  const composed = useComposerField(room, editing)
  const { field, text, set } = composed
  const completing = useCompletion(composed, me, {
    known: () => mentionable(room, members),
    find: useCallback((part: string) => findMentionable(chat, room, part), [chat, room]),
  })
  const { suggestions, chosen } = completing
  const max = useTextMax(chat)
  const count = countCodePoints(text)
  const isTooLong = count > max
  const { problem, setProblem, submit } = useSubmit({
    room,
    editing,
    text,
    tooLong: isTooLong ? tooLongText(count, max) : undefined,
    edited,
    sent: () => {
      set('')
      completing.end()
      sent()
    },
  })

  const insert = (more: string) => {
    composed.insert(more)
    completing.end()
    setProblem('')
  }

  handle.current = {
    focus: () => field.current?.focus(),
    insert: (word) => {
      const at = field.current?.selectionStart ?? text.length
      const gap = at > 0 && !/\s/.test(text[at - 1] ?? '') ? ' ' : ''
      insert(gap + word)
    },
  }

  const pressed = (event: KeyboardEvent) => {
    if (isComposing(event)) return
    if (completing.chooseBy(event)) return event.preventDefault()
    if (event.key === 'Enter' && !event.shiftKey && !event.altKey && !isTouchDevice()) {
      event.preventDefault()
      submit()
    } else if (event.key === 'Escape' && editing !== undefined) edited('cancelled')
    else if (event.key === 'ArrowUp' && text === '' && editLast()) event.preventDefault()
  }

  const written = (element: HTMLTextAreaElement) => {
    set(element.value)
    completing.written(element)
    setProblem('')
  }

  useDroppedFiles(useCallback(() => setProblem(NO_FILES), [setProblem]))

  const pasted = (event: ClipboardEvent) => {
    const isText = event.clipboardData?.types.some((type) => type.startsWith('text/')) === true
    if (hasFiles(event.clipboardData) && !isText) {
      event.preventDefault()
      return setProblem(NO_FILES)
    }
    const more = event.clipboardData?.getData('text/plain') ?? ''
    const { selectionStart, selectionEnd } = field.current ?? { selectionStart: 0, selectionEnd: 0 }
    const whole = text.length - (selectionEnd - selectionStart) + more.length
    if (whole <= max) return
    const after = countCodePoints(text.slice(0, selectionStart) + more + text.slice(selectionEnd))
    if (after <= max) return
    event.preventDefault()
    setProblem(`Not pasted. ${tooLongText(after, max)}`)
  }

  const canSend = text.trim() !== '' && !isTooLong
  return (
    <div class={editing === undefined ? 'composer' : 'composer composer-editing'}>
      {editing !== undefined && <EditingBanner cancel={() => edited('cancelled')} />}
      {problem !== '' && (
        <p class="composer-problem" role="alert">
          {problem}
        </p>
      )}
      {suggestions.length > 0 && (
        <Suggestions
          list={suggestions}
          chosen={chosen}
          accept={completing.accept}
          highlight={completing.highlight}
        />
      )}
      {isPicking && (
        <EmojiPicker
          pick={(char) => {
            setPicking(false)
            insert(char)
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
          placeholder={editing === undefined ? `Message ${title}` : 'Edit your message'}
          aria-label={editing === undefined ? `Message ${title}` : 'Edit your message'}
          aria-invalid={isTooLong}
          aria-autocomplete="list"
          aria-controls={suggestions.length > 0 ? 'suggestions' : undefined}
          aria-activedescendant={suggestions.length > 0 ? `suggestion-${chosen}` : undefined}
          enterkeyhint={isTouchDevice() ? 'enter' : 'send'}
          autocomplete="off"
          onInput={(event) => written(event.currentTarget)}
          onKeyDown={pressed}
          onPaste={pasted}
          onBlur={completing.end}
        />
        <CharactersLeft count={count} max={max} />
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
