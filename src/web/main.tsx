/** Starts the page: finds who the user is, keeps the address and the window in step with it, and draws it. */
// Before the parts that bring styles of their own: these build upon the theme's.
import './theme.css'
import './page.css'
import './sidebar.css'
import './dialogs.css'
import { render } from 'preact'
import { App } from './app.tsx'
import { Boundary } from './boundary.tsx'
import { Identities } from './identity.ts'
import { keptIn } from './kept.ts'
import { startNotifications } from './notifications.ts'
import { Page, PageProvider } from './page.ts'
import { tokenOfHash } from './route.ts'
import { startTheme } from './theme.ts'
import { followWindow } from './window.ts'

/** A window of its own for somebody else: what it knows of its user ends with it. */
const ANOTHER = '?another'

const kept = keptIn('localStorage')
const tokens = keptIn('sessionStorage')
startTheme(kept)
startNotifications(kept)

const identities = new Identities({ guests: location.search === ANOTHER ? tokens : kept, tokens })

// Out of the address before anything else, so that no link and no history has it.
const token = tokenOfHash(location.hash)
if (token !== undefined) history.replaceState(null, '', location.pathname + location.search)

const page = new Page({ identities, kept })
followWindow(page)
page.start(token)

const root = document.getElementById('app')
if (root !== null) {
  render(
    <Boundary around="page">
      <PageProvider value={page}>
        <App />
      </PageProvider>
    </Boundary>,
    root,
  )
}
