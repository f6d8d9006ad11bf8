/** The whole page: the sign-in page, or the shell for a user who is signed in. */

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
