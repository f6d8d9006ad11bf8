/** What tells two messages under one id apart: what was said, as a digest that outlives a blanked text. Every log has the same. */
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
