/** Sends the same request to all workers and continues without those that do not answer in time. */
import { withTimeout } from '../core/with-timeout.ts'

export interface Answers<T> {
  /** By worker. */
  readonly answered: ReadonlyMap<string, T>
  /** Workers that failed or did not answer in time. */
  readonly missing: readonly string[]
}

/** @param questions requests by worker, sent all at once */
export async function collectAnswers<T>(
  questions: ReadonlyMap<string, () => Promise<T>>,
  deadlineMs: number,
): Promise<Answers<T>> {
  const answered = new Map<string, T>()
  const missing = new Set(questions.keys())
  const asked = [...questions].map(async ([worker, ask]) => {
    const answer = await ask()
    // Ignore answers after the deadline.
    if (missing.delete(worker)) answered.set(worker, answer)
  })
  await withTimeout<unknown>(deadlineMs, Promise.allSettled(asked), () => undefined)
  return { answered: new Map(answered), missing: [...missing] }
}
