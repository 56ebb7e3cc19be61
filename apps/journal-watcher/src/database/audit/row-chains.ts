/** Rows that are remembered; then all are forgotten. Steps that were kept in another order than they were done are near each other. */
const MAX_ROWS = 65_536

/** Whether steps fit onto each other: a row is changed from what the step before left of it. As far as that is remembered. */
export class RowChains {
  readonly #rows = new Map<string, string>()

  /**
   * @param row names table and key
   * @param before digest of what it was; empty: it was not there
   * @returns whether it was that
   */
  step(row: string, before: string, after: string): boolean {
    const known = this.#rows.get(row)
    if (known === undefined && this.#rows.size >= MAX_ROWS) this.#rows.clear()
    this.#rows.set(row, after)
    return known === undefined || known === before
  }
}
