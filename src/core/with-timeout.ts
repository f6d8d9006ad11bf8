/**
 * Resolves or rejects as `promise` does. After `timeoutMs` resolves with what `onTimeout` returns instead,
 * and ignores how `promise` ends later.
 */
export async function withTimeout<T>(timeoutMs: number, promise: Promise<T>, onTimeout: () => T): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<typeof TIMED_OUT>((resolve) => {
    timer = setTimeout(() => resolve(TIMED_OUT), timeoutMs)
  })
  try {
    const first = await Promise.race([promise, timeout])
    return first === TIMED_OUT ? onTimeout() : first
  } finally {
    clearTimeout(timer)
  }
}

const TIMED_OUT = Symbol('timed out')
