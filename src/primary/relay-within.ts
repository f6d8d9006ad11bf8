/** Waits for something, but no longer than so long. Never rejects: who waits goes on either way. */
export function within(ms: number, awaited: Promise<unknown>, late: () => void): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      late()
      resolve()
    }, ms)
    const settle = () => {
      clearTimeout(timer)
      resolve()
    }
    awaited.then(settle, settle)
  })
}
