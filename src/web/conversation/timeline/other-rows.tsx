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

export function NoticeRow({ text }: { text: string }) {
  return (
    <p class="notice-row">
      <InfoIcon size={16} />
      <span>{text}</span>
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

const SKELETON_LINES = [62, 38, 74, 45, 57, 30]

/** While nothing is known of the room yet. */
export function Skeleton() {
  return (
    <div class="skeleton" role="status" aria-label="Loading messages">
      {SKELETON_LINES.map((width) => (
        <div class="skeleton-row" key={width}>
          <span class="skeleton-avatar" />
          <span class="skeleton-lines">
            <span class="skeleton-line skeleton-name" />
            <span class="skeleton-line" style={{ inlineSize: `${width}%` }} />
          </span>
        </div>
      ))}
    </div>
  )
}
