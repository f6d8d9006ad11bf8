/** The rows of the timeline that are no messages. */
import { InfoIcon } from '../../components/icons.tsx'
import { dayLabel } from './days.ts'

export function DayRow({ day, now }: { day: number; now: number }) {
  return (
    <div class="day-row">
      <span>{dayLabel(day, { now })}</span>
    </div>
  )
}

export function UnreadRow() {
  return (
    <div class="unread-row">
      <span>New messages</span>
    </div>
  )
}

export function NoticeRow({ words }: { words: string }) {
  return (
    <p class="notice-row">
      <InfoIcon size={16} />
      <span>{words}</span>
    </p>
  )
}

export function BeginningRow({ title, isFirst }: { title: string; isFirst: boolean }) {
  return (
    <div class="beginning-row">
      <p class="beginning-title" dir="auto">
        {isFirst ? `This is the beginning of ${title}` : 'Nothing older is shown'}
      </p>
      <p>
        {isFirst
          ? 'All messages that the server has of it stand below.'
          : 'What was said before is no longer kept, or is more than this page can hold.'}
      </p>
    </div>
  )
}

/** Above all rows while there is older to be had; as high as the room that is kept for it. */
export function OlderRow({ state, retry }: { state: 'idle' | 'loading' | 'failed'; retry: () => void }) {
  return (
    <div class="older-row">
      {state === 'loading' && (
        <>
          <span class="spinner" aria-hidden="true" />
          <span>Loading older messages…</span>
        </>
      )}
      {state === 'failed' && (
        <>
          <span>Older messages could not be loaded.</span>
          <button type="button" class="button button-small" onClick={retry}>
            Try again
          </button>
        </>
      )}
    </div>
  )
}

const BONES = [62, 38, 74, 45, 57, 30]

/** While nothing is known of the room yet. */
export function Bones() {
  return (
    <div class="bones" role="status" aria-label="Loading messages">
      {BONES.map((width) => (
        <div class="bone" key={width}>
          <span class="bone-avatar" />
          <span class="bone-lines">
            <span class="bone-line bone-name" />
            <span class="bone-line" style={{ inlineSize: `${width}%` }} />
          </span>
        </div>
      ))}
    </div>
  )
}
