/** Lines of the log as text for the message of an error. Pure. */
import { z } from 'zod'
import type { LogLine } from './host-output.ts'

const text = z.string().optional().catch(undefined)
const facts = z.object({
  level: z.coerce.string(),
  msg: z.string(),
  worker: text,
  reason: text,
  err: z.object({ message: text, stack: text }).catch({ message: undefined, stack: undefined }),
})

/** Why that happened which the line tells. */
export function reasonOf(line: LogLine): string {
  const { reason, err, msg } = facts.parse(line)
  return reason ?? err.message ?? msg
}

/** With the stack of its error, on lines of their own. */
export function shown(line: LogLine): string {
  const { level, worker, msg, reason, err } = facts.parse(line)
  const first = [level, worker, msg, reason].filter((part) => part !== undefined).join(' ')
  return [first, ...(err.stack?.split('\n') ?? [])].join('\n  ')
}
