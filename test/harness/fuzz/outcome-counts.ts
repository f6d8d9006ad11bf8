/** How often each thing happened in a fuzz: one whose every run ends the same way may well have fuzzed nothing. */
export class OutcomeCounts extends Map<string, number> {
  add(key: string): void {
    this.set(key, (this.get(key) ?? 0) + 1)
  }
}
