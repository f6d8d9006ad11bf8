/** Explains why the server refuses a user, and what the user can do. Pure. */
import type { ChatError } from '../../client/index.ts'
import type { Identity } from './identity.ts'

export interface Refusal {
  readonly title: string
  readonly text: string
  /** What the user needs: a token, another name, or only another attempt. */
  readonly remedy: 'token' | 'name' | 'retry'
}

type RefusalError = Pick<ChatError, 'code' | 'message'>

export function refusalOf(error: RefusalError, identity: Identity): Refusal {
  if (identity.kind === 'guest') return guestRefusal(error)
  if (error.code === 'unauthenticated') {
    return {
      title: 'Your token was rejected',
      text: `${sentence(error.message)} Get a new one and sign in again.`,
      remedy: 'token',
    }
  }
  if (error.code === 'bad_request') {
    return { title: 'This server does not use tokens', text: 'Sign in with a name instead.', remedy: 'name' }
  }
  return otherRefusal(error)
}

function guestRefusal(error: RefusalError): Refusal {
  if (error.code === 'unauthenticated') {
    return {
      title: 'This server requires a token',
      text: 'Ask whoever runs it for one.',
      remedy: 'token',
    }
  }
  if (error.code === 'bad_request') {
    return { title: 'The server rejected this name', text: sentence(error.message), remedy: 'name' }
  }
  return otherRefusal(error)
}

function otherRefusal({ message }: RefusalError): Refusal {
  return { title: 'You can’t sign in', text: sentence(message), remedy: 'retry' }
}

function sentence(text: string): string {
  const first = text.slice(0, 1).toLocaleUpperCase() + text.slice(1)
  return /[.!?]$/.test(first) ? first : `${first}.`
}
