/** The dialogs of the page. At most one is open. */

import { usePage } from '../app/page.ts'
import { Dialog } from '../components/dialog.tsx'
import { linkTo } from '../room/room-header.tsx'
import { roomTitle } from '../room/room-title.ts'
import type { Session } from '../session/session.ts'
import { NameForm, TokenForm } from '../session/sign-in-forms.tsx'
import { ConnectDialog } from './connect-dialog.tsx'
import { CopyButton } from './copy-button.tsx'
import { InviteActions } from './invite.tsx'

export function Dialogs({ session }: { readonly session: Session }) {
  const page = usePage()
  const dialog = page.dialog.value
  const close = () => {
    page.dialog.value = undefined
  }
  if (dialog === undefined) return null
  if (dialog.kind === 'leave') return <LeaveDialog session={session} room={dialog.room} close={close} />
  if (dialog.kind === 'rename') return <RenameDialog session={session} close={close} />
  if (dialog.kind === 'sign-out') return <SignOutDialog session={session} close={close} />
  if (dialog.kind === 'token') return <TokenDialog close={close} />
  if (dialog.kind === 'connect') return <ConnectDialog session={session} close={close} />
  return <InviteDialog close={close} />
}

interface DialogProps {
  readonly session: Session
  readonly close: () => void
}

function InviteDialog({ close }: { readonly close: () => void }) {
  const page = usePage()
  const room = page.room.value ?? 'lobby'
  return (
    <Dialog title="Invite people" onClose={close}>
      <p>Anyone with this link who can reach this server can join.</p>
      <div class="copy-line">
        <code class="copy-line-text clipped">{linkTo(room)}</code>
        <CopyButton text={() => linkTo(room)}>Copy</CopyButton>
      </div>
      <p class="dialog-aside">Nobody to invite? Try it in a second window, or connect a program.</p>
      <InviteActions />
    </Dialog>
  )
}

function RenameDialog({ session, close }: DialogProps) {
  const page = usePage()
  const rename = (name: string) => {
    close()
    if (name === session.me.peek().name) return
    page.enterAsGuest(name)
    page.showToast(`Your name is now ${name}.`)
  }
  return (
    <Dialog title="Change your name" onClose={close}>
      <p>Messages you have already sent keep your old name.</p>
      <NameForm
        label="What should people call you?"
        action="Change"
        value={session.me.value.name}
        isBusy={false}
        maxChars={session.chat.limits?.nameMaxChars}
        onName={rename}
      />
    </Dialog>
  )
}

function TokenDialog({ close }: { readonly close: () => void }) {
  const page = usePage()
  const enter = (token: string) => {
    close()
    page.enterWithToken(token)
  }
  return (
    <Dialog title="Sign in" onClose={close}>
      <p>
        This server identifies users by a token. Unsent messages are sent once you are signed in as the same
        user.
      </p>
      <TokenForm isBusy={false} onToken={enter} />
    </Dialog>
  )
}

function LeaveDialog({ session, room, close }: DialogProps & { readonly room: string }) {
  const page = usePage()
  const title = roomTitle(session.rooms.items.value, room)
  const isDirect = room.startsWith('dm:')
  const leave = () => {
    close()
    void page.leave(room)
  }
  const text = isDirect
    ? 'It leaves your list until one of you writes again. No messages are lost.'
    : 'It leaves your list. You can join again at any time. No messages are lost.'
  return (
    <Dialog title={isDirect ? `Close the conversation with ${title}?` : `Leave ${title}?`} onClose={close}>
      <p>{text}</p>
      <p>Unsent messages are discarded.</p>
      <DialogActions close={close} action={isDirect ? 'Close' : 'Leave'} act={leave} />
    </Dialog>
  )
}

function SignOutDialog({ session, close }: DialogProps) {
  const page = usePage()
  const isGuest = session.identity.kind === 'guest'
  const signOut = () => {
    close()
    void page.signOut()
  }
  return (
    <Dialog title="Sign out?" onClose={close}>
      {isGuest ? (
        <p>
          This browser will forget the secret key that makes you{' '}
          <strong dir="auto">{session.me.value.name}</strong>. This can’t be undone: you lose this user and
          its direct messages for good.
        </p>
      ) : (
        <p>This tab will forget your token. You can sign in again with it or with a new one.</p>
      )}
      <DialogActions close={close} action={isGuest ? 'Forget me and sign out' : 'Sign out'} act={signOut} />
    </Dialog>
  )
}

interface DialogActionsProps {
  readonly close: () => void
  readonly action: string
  readonly act: () => void
}

function DialogActions({ close, action, act }: DialogActionsProps) {
  return (
    <div class="dialog-actions">
      <button type="button" class="button" onClick={close}>
        Cancel
      </button>
      <button type="button" class="button button-danger" onClick={act}>
        {action}
      </button>
    </div>
  )
}
