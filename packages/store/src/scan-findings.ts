/** What a scan's rows came to, beside the rows: counts, and the directories that need something when all rows are here. */
export class ScanFindings {
  /** Entries so far; what repeats counts once. */
  entries = 0
  /** Rows that repeated or contradicted others and were left out. */
  skippedRows = 0
  /** Directories that are elsewhere, or gave way to another of their name: they go, with what is in them. */
  readonly losers = new Set<number>()
  /** Directories whose listing contradicts itself: they are asked for again. */
  readonly relist = new Set<number>()
}
