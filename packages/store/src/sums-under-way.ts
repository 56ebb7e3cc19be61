/** A sum over one directory that takes many steps. */
export interface SumUnderWay {
  /** Something of the directory changed since it began: it is a sum of nothing that ever was. */
  hasChanged: boolean
}

/** Sums over directories of one view that are being made, for whoever changes the view to say so. */
export class SumsUnderWay {
  private readonly byDirectory = new Map<number, SumUnderWay>()

  get areThere(): boolean {
    return this.byDirectory.size > 0
  }

  /** One at a time for each directory: an earlier one counts as changed. */
  begin(dirId: number): SumUnderWay {
    this.changed(dirId)
    const sum = { hasChanged: false }
    this.byDirectory.set(dirId, sum)
    return sum
  }

  end(dirId: number, sum: SumUnderWay): void {
    if (this.byDirectory.get(dirId) === sum) this.byDirectory.delete(dirId)
  }

  changed(dirId: number): void {
    const sum = this.byDirectory.get(dirId)
    if (sum) sum.hasChanged = true
  }

  allChanged(): void {
    for (const sum of this.byDirectory.values()) sum.hasChanged = true
  }
}
