/** Counts of findings, with a few examples for the reader. */
import type { Verdict } from '../model/result.ts'

/** In the order in which examples are chosen. */
const DEFECTS = ['lost', 'doubled', 'outOfOrder', 'phantom'] as const
const REMARKS = ['ordersDiffer', 'shownUnacked'] as const

export type Finding = (typeof DEFECTS)[number] | (typeof REMARKS)[number]

const EXAMPLES = 20

export class Findings {
  readonly counts: Record<Finding, number> = {
    lost: 0,
    doubled: 0,
    outOfOrder: 0,
    phantom: 0,
    ordersDiffer: 0,
    shownUnacked: 0,
  }
  lostWhileAway = 0
  expected = 0
  readonly #examples = new Map<Finding, string[]>()

  /** @param line called only while more examples of this kind are needed */
  add(finding: Finding, line: () => string, times = 1): void {
    this.counts[finding] += times
    const lines = this.#examples.get(finding) ?? []
    if (lines.length < EXAMPLES) this.#examples.set(finding, [...lines, line()])
  }

  get defects(): number {
    return DEFECTS.reduce((sum, finding) => sum + this.counts[finding], 0)
  }

  /**
   * Takes turns between kinds of defect, so many of one kind do not hide another; then remarks, if there is
   * room.
   */
  examples(): Verdict['examples'] {
    return [...this.#inTurn(DEFECTS), ...this.#inTurn(REMARKS)].slice(0, EXAMPLES)
  }

  #inTurn(kinds: readonly Finding[]): string[] {
    const lines = kinds.map((kind) => this.#examples.get(kind) ?? [])
    return Array.from({ length: EXAMPLES }, (_, turn) => lines.flatMap((ofKind) => ofKind[turn] ?? [])).flat()
  }
}
