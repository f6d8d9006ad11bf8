/** What is known of the user of a connection. Found out once, when the connection is made. */
import type { Author } from '../../wire/entry.ts'

export interface Identity {
  user: Author
  /** Unset: never. */
  expiresAtMs?: number
}

/** Rejects with the `RookeryError` that refuses the client. */
export type Authenticate = (auth: unknown) => Promise<Identity>
