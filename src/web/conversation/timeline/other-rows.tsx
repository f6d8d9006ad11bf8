/** The timeline's rows other than messages. */
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

export function BeginningRow({ text, isFirst }: { text: string; isFirst: boolean }) {
  return (
    <div class="beginning-row">
      <p class="beginning-title" dir="auto">
        {isFirst ? text : 'No older messages'}
      </p>
      <p>
        {isFirst
          ? 'Everything the server has is below.'
          : 'Older messages are no longer stored, or too many for this page.'}
      </p>
    </div>
  )
}

/** Shown above all rows while there are older messages. Fills the height reserved for it. */
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
          <span>Could not load older messages.</span>
          <button type="button" class="button button-small" onClick={retry}>
            Try again
          </button>
        </>
      )}
    </div>
  )
}

const SKELETON_LINES = [62, 38, 74, 45, 57, 30]

/** Placeholder until the room's messages are loaded. */
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
