/** The page as a whole: the door, or the house. */

import { Dialogs } from '../dialogs/dialogs.tsx'
import { SignInPage } from '../session/sign-in-page.tsx'
import { usePage } from './page.ts'
import { Shell } from './shell.tsx'
import { Toast } from './toast.tsx'

export function App() {
  const page = usePage()
  const session = page.session.value
  const isInside = session !== undefined && (page.hasEntered.value || session.isAdmitted.value)
  return (
    <>
      {isInside ? <Shell session={session} /> : <SignInPage session={session} />}
      {isInside && <Dialogs session={session} />}
      <Toast />
    </>
  )
}
