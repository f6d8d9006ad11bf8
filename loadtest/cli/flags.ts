/** Checks flags; errors name the flag. */
import { z } from 'zod'
import { UsageError } from '../run/exit-codes.ts'
import { RunFlags } from '../run/request/request.ts'

/** Flags as commander parses them: strings, lists of strings, and true. Each command checks its own. */
export type Flags = Record<string, unknown>

const Output = z.object({
  json: z.literal(true).optional(),
  out: z.string().min(1).optional(),
  page: z.boolean().default(true),
})
export type Output = z.infer<typeof Output>

/** The flags of a run, without those for output. */
export function runFlagsFrom(flags: Flags, others: readonly string[] = []): RunFlags {
  const left = [...Object.keys(Output.shape), ...others]
  return parseFlags(
    RunFlags,
    Object.fromEntries(Object.entries(flags).filter(([name]) => !left.includes(name))),
  )
}

export const outputFrom = (flags: Flags): Output => parseFlags(Output, flags)

/** @throws UsageError */
export function parseFlags<T>(schema: z.ZodType<T>, flags: unknown): T {
  const parsed = schema.safeParse(flags)
  if (parsed.success) return parsed.data
  const lines = parsed.error.issues.map(({ path, message }) => `${flagOf(path[0])}: ${message}`)
  throw new UsageError(lines.join('\n'))
}

const flagOf = (name: PropertyKey | undefined): string =>
  `--${String(name).replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
