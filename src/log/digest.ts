/**
 * Digest of a message's content. Distinguishes two messages with the same id, also after the text was
 * blanked. Same in every log.
 */
import { createHash } from 'node:crypto'

export interface DigestInput {
  kind: 'text' | 'edit' | 'remove'
  text?: string | undefined
  target?: number | undefined
}

export function digestOf(draft: DigestInput): string {
  const content =
    draft.kind === 'text'
      ? ['text', draft.text]
      : draft.kind === 'edit'
        ? ['edit', draft.target, draft.text]
        : ['remove', draft.target]
  return createHash('sha256').update(JSON.stringify(content)).digest('base64url').slice(0, 22)
}
