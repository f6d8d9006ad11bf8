/**
 * Digest of a message's content. Distinguishes two messages with the same id, also after the text was
 * blanked. Same in every log.
 */
import { createHash } from 'node:crypto'

export interface DigestInput {
  kind: string
  text?: string | undefined
  target?: number | undefined
  data?: unknown
}

export function digestOf(draft: DigestInput): string {
  return createHash('sha256')
    .update(JSON.stringify(contentOf(draft)))
    .digest('base64url')
    .slice(0, 22)
}

function contentOf({ kind, text, target, data }: DigestInput): unknown[] {
  if (kind === 'text') return ['text', text]
  if (kind === 'edit') return ['edit', target, text]
  if (kind === 'remove') return ['remove', target]
  return data === undefined ? [kind] : [kind, data]
}
