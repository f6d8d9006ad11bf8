/** Entry point: loads the identity, connects the page to the window, and renders it. */
// Imported before the components: their own stylesheets build on the theme.
import './app/theme.css'
import './components/wordmark.css'
import './session/sign-in-page.css'
import './app/shell.css'
import './room/room.css'
import './components/empty-pane.css'
import './app/error-boundary.css'
import './app/toast.css'
import './sidebar/sidebar.css'
import './components/dialog.css'
import './dialogs/dialogs.css'
import './components/menu.css'
import { render } from 'preact'
import { App } from './app/app.tsx'
import { storagePrefix } from './app/base.ts'
import { ErrorBoundary } from './app/error-boundary.tsx'
import { startNotifications } from './app/notifications.ts'
import { Page, PageProvider } from './app/page.ts'
import { startTheme } from './app/theme.ts'
import { followWindow, takeToken } from './app/window.ts'
import { browserStorage } from './session/browser-storage.ts'
import { Identities } from './session/identity.ts'

/** Opens the page as another user, who is stored for this tab only. */
const ANOTHER = '?another'

const storage = browserStorage('localStorage', storagePrefix())
const tokens = browserStorage('sessionStorage', storagePrefix())
startTheme(storage)
startNotifications(storage)

const identities = new Identities({ guests: location.search === ANOTHER ? tokens : storage, tokens })

const token = takeToken()
const page = new Page({ identities, storage })
followWindow(page)
page.start(token)

const root = document.getElementById('app')
if (root !== null) {
  render(
    <ErrorBoundary around="page">
      <PageProvider value={page}>
        <App />
      </PageProvider>
    </ErrorBoundary>,
    root,
  )
}
