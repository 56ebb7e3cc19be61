const MARKED = 1
const LAST = 2

/** Pages of a file that are to be written, each once. Marking one costs a look at a byte. */
export class PageMarks {
  private marks = new Uint8Array(16)
  private pages: number[] = []

  /** @param isLast it is written after all others, whatever else is said of it */
  mark(page: number, isLast: boolean): void {
    if (page >= this.marks.length) this.grow(page + 1)
    const before = this.marks[page]
    if (before === 0) this.pages.push(page)
    this.marks[page] = before | MARKED | (isLast ? LAST : 0)
  }

  /** What was marked, in the order of writing: by number, and then those that come last. Nothing is marked then. */
  take(): { readonly page: number; readonly isLast: boolean }[] {
    const taken = this.pages.map(page => ({ page, isLast: (this.marks[page] & LAST) !== 0 }))
    this.clear()
    return taken.sort((a, b) => Number(a.isLast) - Number(b.isLast) || a.page - b.page)
  }

  clear(): void {
    for (const page of this.pages) this.marks[page] = 0
    this.pages = []
  }

  private grow(pages: number): void {
    const larger = new Uint8Array(Math.max(pages, this.marks.length * 2))
    larger.set(this.marks)
    this.marks = larger
  }
}
