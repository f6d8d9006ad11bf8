/** The sign-in page: what this is, and how to enter. */
import { useState } from 'preact/hooks'
import { Banner } from '../app/banners.tsx'
import { roomNameProblem } from '../app/name-rules.ts'
import { usePage } from '../app/page.ts'
import { roomOfHash } from '../app/route.ts'
import { Logo } from '../components/wordmark.tsx'
import { refusalOf } from './refusal.ts'
import type { Session } from './session.ts'
import { NameForm, TokenForm } from './sign-in-forms.tsx'

export function SignInPage({ session }: { readonly session: Session | undefined }) {
  const page = usePage()
  const error = session?.refusal.value
  const refusal =
    session !== undefined && error !== undefined ? refusalOf(error, session.identity) : undefined
  const [wanted, setWanted] = useState<'name' | 'token'>()
  const isEntering = session !== undefined && error === undefined
  const fitting = isEntering ? session.identity.kind === 'token' : refusal?.remedy === 'token'
  const withToken = wanted === undefined ? fitting : wanted === 'token'
  const invitedTo = roomOfHash(page.hash.value)
  const room = invitedTo === undefined || roomNameProblem(invitedTo) !== undefined ? undefined : invitedTo
  const name = session?.identity.kind === 'guest' ? session.identity.name : ''
  const enter = (act: () => void) => {
    setWanted(undefined)
    act()
  }
  return (
    <main class="sign-in-page">
      <div class="sign-in-card">
        <Logo size={56} />
        <h1 class="sign-in-title">{room === undefined ? 'Welcome to Rookery' : `Join #${room}`}</h1>
        <p class="sign-in-text">
          A place to talk, in rooms and in private. Messages arrive once and in order, even on a bad
          connection.
        </p>
        {refusal !== undefined && (
          <div class="sign-in-refusal" role="alert">
            <strong>{refusal.title}.</strong> {refusal.text}
          </div>
        )}
        {withToken ? (
          <TokenForm isBusy={isEntering} onToken={(token) => enter(() => page.enterWithToken(token))} />
        ) : (
          <NameForm
            label="What should people call you?"
            action="Enter"
            value={name}
            isBusy={isEntering}
            onName={(written) => enter(() => page.enterAsGuest(written))}
          />
        )}
        {isEntering && <ConnectingHint session={session} />}
        <p class="sign-in-small">
          {!withToken &&
            'No account and no password: this browser keeps a secret key, so that you are the same person when you come back.'}
          {withToken && (
            <button type="button" class="link-button" onClick={() => setWanted('name')}>
              Sign in with a name instead
            </button>
          )}
          {wanted === 'name' && (
            <button type="button" class="link-button sign-in-other" onClick={() => setWanted('token')}>
              Sign in with a token
            </button>
          )}
        </p>
      </div>
    </main>
  )
}

/** Shown only when connecting takes long or fails. */
function ConnectingHint({ session }: { readonly session: Session }) {
  const { state, reason } = session.connection.value
  if (state !== 'offline' && reason === undefined) return null
  return <Banner tone="warning">The server can’t be reached right now. This page keeps trying.</Banner>
}
