/** A growing list of rows at four bytes each. */
export class RowList {
  private values = new Uint32Array(0)
  private count = 0

  get length(): number {
    return this.count
  }

  push(row: number): void {
    if (this.count === this.values.length) {
      const larger = new Uint32Array(Math.max(16, this.count * 2))
      larger.set(this.values)
      this.values = larger
    }
    this.values[this.count++] = row
  }

  /** In the order in which they came; valid until the next `push`. */
  rows(): Uint32Array {
    return this.values.subarray(0, this.count)
  }
}
