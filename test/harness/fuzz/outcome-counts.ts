/** How often each outcome occurred in a fuzz: if every run ends the same way, it may have tested nothing. */
export class OutcomeCounts extends Map<string, number> {
  add(key: string): void {
    this.set(key, (this.get(key) ?? 0) + 1)
  }
}
