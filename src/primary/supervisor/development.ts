/** What `rookery dev` adds to a host. */
import type { Listening } from '../../ops/banner.ts'

export interface Development {
  /** The workers are about to start. `reload` replaces them in order. @returns a function that ends the watch */
  watch(reload: () => void): () => void
  /** All workers are ready for the first time. */
  ready(listening: Listening): void
  /** A worker has started. */
  started(): void
  /** A worker has not started. No other one is before the next reload. */
  held(reason: string): void
}
