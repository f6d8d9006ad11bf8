/** The user at the bottom of the list, with a menu of settings. */

import { notifications, switchNotifications } from '../app/notifications.ts'
import { usePage } from '../app/page.ts'
import { chooseTheme, theme } from '../app/theme.ts'
import { Avatar } from '../components/avatar.tsx'
import {
  AutoIcon,
  BellIcon,
  BellOffIcon,
  ChevronDownIcon,
  EditIcon,
  LeaveIcon,
  MoonIcon,
  SunIcon,
  TerminalIcon,
} from '../components/icons.tsx'
import { Menu, MenuItem } from '../components/menu.tsx'
import type { Session } from '../session/session.ts'

export function UserMenu({ session }: { readonly session: Session }) {
  const me = session.me.value
  const state = session.shownState.value
  const button = (
    <>
      <Avatar user={me} />
      <span class="me-names">
        <span class="visually-hidden">You: </span>
        <span class="me-name clipped">
          <bdi>{me.name}</bdi>
        </span>
        <span class="me-state" data-state={state}>
          {STATES[state]}
        </span>
      </span>
      <ChevronDownIcon size={18} />
    </>
  )
  return (
    <footer class="me">
      <Menu label="You" class="me-button" button={button} hasText>
        <UserMenuItems session={session} />
      </Menu>
    </footer>
  )
}

const STATES = {
  connecting: 'Connecting…',
  online: 'Connected',
  degraded: 'Read-only for now',
  offline: 'Offline',
  refused: 'Not signed in',
  closed: 'Disconnected',
} as const

function UserMenuItems({ session }: { readonly session: Session }) {
  const page = usePage()
  return (
    <>
      {session.identity.kind === 'guest' && (
        <MenuItem icon={<EditIcon />} onChoose={() => (page.dialog.value = { kind: 'rename' })}>
          Change name…
        </MenuItem>
      )}
      <NotificationItem />
      <MenuItem icon={<TerminalIcon />} onChoose={() => (page.dialog.value = { kind: 'connect' })}>
        Connect your own client…
      </MenuItem>
      <hr class="menu-line" />
      <ThemeItems />
      <hr class="menu-line" />
      <MenuItem icon={<LeaveIcon />} isDangerous onChoose={() => (page.dialog.value = { kind: 'sign-out' })}>
        Sign out…
      </MenuItem>
    </>
  )
}

function NotificationItem() {
  const page = usePage()
  const showToast = (text: string) => page.showToast(text)
  const state = notifications.value
  const choose = () => {
    if (state === 'blocked') showToast('Notifications for this page are blocked in your browser’s settings.')
    else if (state === 'absent')
      showToast('Notifications are not available here: they need HTTPS or localhost.')
    else void switchNotifications(state !== 'on', page.storage)
  }
  return (
    <MenuItem icon={state === 'on' ? <BellIcon /> : <BellOffIcon />} onChoose={choose}>
      {state === 'on' ? 'Turn notifications off' : 'Turn notifications on'}
    </MenuItem>
  )
}

function ThemeItems() {
  const { storage } = usePage()
  const chosen = theme.value
  return (
    <div role="group" aria-label="Theme">
      <MenuItem
        icon={<AutoIcon />}
        isChecked={chosen === 'auto'}
        onChoose={() => chooseTheme('auto', storage)}
      >
        System theme
      </MenuItem>
      <MenuItem
        icon={<SunIcon />}
        isChecked={chosen === 'light'}
        onChoose={() => chooseTheme('light', storage)}
      >
        Light
      </MenuItem>
      <MenuItem
        icon={<MoonIcon />}
        isChecked={chosen === 'dark'}
        onChoose={() => chooseTheme('dark', storage)}
      >
        Dark
      </MenuItem>
    </div>
  )
}
