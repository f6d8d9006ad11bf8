/** Banners above the whole page about problems of the connection. Short interruptions show nothing. */
import type { ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { InfoIcon, OfflineIcon, WarningIcon } from '../components/icons.tsx'
import { refusalOf } from '../session/refusal.ts'
import type { Session } from '../session/session.ts'
import { SHOWN_AFTER_MS } from '../session/shown-state.ts'
import { type BannerText, bannerOf } from './banner-text.ts'
import { usePage } from './page.ts'

interface BannerProps {
  readonly tone: BannerText['tone']
  readonly children: ComponentChildren
}

export function Banner({ tone, children }: BannerProps) {
  return (
    <div class={`banner banner-${tone}`}>
      {tone === 'info' ? (
        <InfoIcon size={18} />
      ) : tone === 'warning' ? (
        <OfflineIcon size={18} />
      ) : (
        <WarningIcon size={18} />
      )}
      <div class="banner-text">{children}</div>
    </div>
  )
}

export function ConnectionBanner({ session }: { readonly session: Session }) {
  const connection = session.connection.value
  const error = session.refusal.value
  const isLate = useDelayed(connection.state === 'connecting' || connection.state === 'offline')
  const banner = error === undefined ? bannerOf(connection, isLate || !navigator.onLine) : undefined
  const isShown = banner !== undefined || error !== undefined
  const wasAway = useRef(false)
  if (isShown) wasAway.current = true
  return (
    <div class="banners" role="status">
      {!isShown && wasAway.current && connection.state === 'online' && (
        <span class="visually-hidden">You are connected again.</span>
      )}
      {banner !== undefined && <Banner tone={banner.tone}>{banner.text}</Banner>}
      {error !== undefined && <RefusedBanner session={session} error={error} />}
    </div>
  )
}

function RefusedBanner({ session, error }: { session: Session; error: Parameters<typeof refusalOf>[0] }) {
  const page = usePage()
  const { title, text, remedy } = refusalOf(error, session.identity)
  const { waiting } = session.connection.value
  return (
    <Banner tone="danger">
      <strong>{title}.</strong> {text}
      {waiting > 0 && ' Unsent messages are kept.'}
      <span class="banner-actions">
        {remedy === 'token' && (
          <button
            type="button"
            class="button button-small"
            onClick={() => (page.dialog.value = { kind: 'token' })}
          >
            Sign in
          </button>
        )}
        {remedy === 'name' && (
          <button
            type="button"
            class="button button-small"
            onClick={() => (page.dialog.value = { kind: 'rename' })}
          >
            Change name
          </button>
        )}
        <button type="button" class="button button-small" onClick={() => session.retry()}>
          Try again
        </button>
      </span>
    </Banner>
  )
}

/** True once the condition has held for the banner delay. */
function useDelayed(isSo: boolean): boolean {
  const [isLate, setLate] = useState(false)
  useEffect(() => {
    setLate(false)
    if (!isSo) return undefined
    const timer = setTimeout(() => setLate(true), SHOWN_AFTER_MS)
    return () => clearTimeout(timer)
  }, [isSo])
  return isSo && isLate
}
