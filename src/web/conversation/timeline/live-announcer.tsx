/** Announces new messages of others to screen readers. Not history, and not what scrolling renders. */
import { useEffect, useState } from 'preact/hooks'
import type { ChatRoom, LoggedMessage } from '../../../client/index.ts'

const KEPT_MAX = 8
/** Messages within this time are announced together. If there are many, only their number. */
const BATCH_MS = 1_000
const ANNOUNCED_MAX = 3

export function LiveAnnouncer({ room, me }: { room: ChatRoom; me: string }) {
  const [lines, setLines] = useState<readonly { id: number; text: string }[]>([])
  useEffect(() => {
    let received: LoggedMessage[] = []
    let timer: ReturnType<typeof setTimeout> | undefined
    const announce = () => {
      timer = undefined
      const text = announcementsOf(received)
      received = []
      setLines((before) => {
        const id = (before.at(-1)?.id ?? 0) + 1
        return [...before, ...text.map((line, index) => ({ id: id + index, text: line }))].slice(-KEPT_MAX)
      })
    }
    const end = room.on('message', (message, { live }) => {
      if (!live || message.from.id === me) return
      received.push(message)
      timer ??= setTimeout(announce, BATCH_MS)
    })
    return () => {
      end()
      clearTimeout(timer)
    }
  }, [room, me])
  return (
    <div class="visually-hidden" aria-live="polite" aria-relevant="additions">
      {lines.map(({ id, text }) => (
        <p key={id}>{text}</p>
      ))}
    </div>
  )
}

function announcementsOf(received: readonly LoggedMessage[]): string[] {
  if (received.length > ANNOUNCED_MAX) return [`${received.length} new messages`]
  return received.map(({ from, text = 'a message that was removed' }) => `${from.name}: ${text}`)
}
