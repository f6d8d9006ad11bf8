/** The page as a whole: the door, or the house. */

import { Dialogs } from '../dialogs/dialogs.tsx'
import { Welcome } from '../session/sign-in-page.tsx'
import { usePage } from './page.ts'
import { Shell } from './shell.tsx'
import { Announcer } from './toast.tsx'

export function App() {
  const page = usePage()
  const session = page.session.value
  const isInside = session !== undefined && (page.isKnown.value || session.isAdmitted.value)
  return (
    <>
      {isInside ? <Shell session={session} /> : <Welcome session={session} />}
      {isInside && <Dialogs session={session} />}
      <Announcer />
    </>
  )
}
