/** Reads out what others say while it comes in. History, and what the list draws while it scrolls, is not read out. */
import { useEffect, useState } from 'preact/hooks'
import type { ChatRoom, LoggedMessage } from '../../../client/index.ts'

const KEPT_MAX = 8
/** What comes in so long is said together; more than a few are counted only. */
const TOGETHER_MS = 1_000
const SAID_MAX = 3

export function Announcer({ room, me }: { room: ChatRoom; me: string }) {
  const [lines, setLines] = useState<readonly { id: number; words: string }[]>([])
  useEffect(() => {
    let heard: LoggedMessage[] = []
    let timer: ReturnType<typeof setTimeout> | undefined
    const say = () => {
      timer = undefined
      const words = wordsOf(heard)
      heard = []
      setLines((before) => {
        const id = (before.at(-1)?.id ?? 0) + 1
        return [...before, ...words.map((line, place) => ({ id: id + place, words: line }))].slice(-KEPT_MAX)
      })
    }
    const end = room.on('message', (message, { live }) => {
      if (!live || message.from.id === me) return
      heard.push(message)
      timer ??= setTimeout(say, TOGETHER_MS)
    })
    return () => {
      end()
      clearTimeout(timer)
    }
  }, [room, me])
  return (
    <div class="unseen" aria-live="polite" aria-relevant="additions">
      {lines.map(({ id, words }) => (
        <p key={id}>{words}</p>
      ))}
    </div>
  )
}

function wordsOf(heard: readonly LoggedMessage[]): string[] {
  if (heard.length > SAID_MAX) return [`${heard.length} new messages`]
  return heard.map(({ from, text = 'a message that was removed' }) => `${from.name}: ${text}`)
}
