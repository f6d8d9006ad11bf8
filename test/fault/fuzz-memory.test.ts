/** Bad input does not leak: after many rounds, memory use is what it was after the first few. */
import { expect, it } from 'vitest'
import { FuzzedHost } from '../harness/fuzz/host.ts'
import { API_KEY } from '../harness/fuzz/http.ts'
import { type MemoryUse, memoryEnv, memoryOf } from '../harness/fuzz/memory.ts'
import { fuzzRound } from '../harness/fuzz/round.ts'
import { fuzzSeed } from '../harness/fuzz/runs.ts'

const MIB = 1024 * 1024
/** Until code is compiled, caches are filled and pools have grown. */
const WARM_UP_ROUNDS = 2
const ROUNDS = 4
/** Allowed growth, as a share and in bytes. */
const growth = {
  usedBytes: { share: 0.1, bytes: 4 * MIB },
  // The product cannot free what the allocator keeps for later.
  residentBytes: { share: 0.3, bytes: 30 * MIB },
}

it('the memory of primary and workers does not grow with the rounds', async () => {
  // Abandoned polling sessions are closed soon.
  const env = { ...memoryEnv, API_KEY, PING_INTERVAL_MS: '2000', PING_TIMEOUT_MS: '4000' }
  const host = await FuzzedHost.start({ env })
  try {
    const uses: MemoryUse[][] = []
    for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round += 1) {
      await fuzzRound(host, fuzzSeed + round)
      uses.push(await memoryOf(host))
    }
    for (const index of host.pids.keys()) expectNoGrowth(uses.map((use) => use[index]))
    await host.expectHealthy()
  } finally {
    await host.stop()
  }
})

/** Compares the median of the last rounds with the end of the warm-up. */
function expectNoGrowth(uses: readonly (MemoryUse | undefined)[]): void {
  for (const key of ['usedBytes', 'residentBytes'] as const) {
    const bytes = uses.map((use) => use?.[key] ?? Number.NaN)
    const before = bytes[WARM_UP_ROUNDS - 1] ?? Number.NaN
    const { share, bytes: more } = growth[key]
    expect(median(bytes.slice(-3)), `${key} by round: ${bytes.join()}`).toBeLessThan(
      before * (1 + share) + more,
    )
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}
