/**
 * Waits for something, but no longer than so long: past that it is what `late` gives, and what comes after it is nobody's any
 * more. Rejects as what is awaited does.
 */
export async function within<T>(ms: number, awaited: Promise<T>, late: () => T): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const overdue = new Promise<typeof LATE>((resolve) => {
    timer = setTimeout(() => resolve(LATE), ms)
  })
  try {
    const first = await Promise.race([awaited, overdue])
    return first === LATE ? late() : first
  } finally {
    clearTimeout(timer)
  }
}

const LATE = Symbol('late')
