import { type Column, formatTable } from './table.js'

/** Figures by name; the name ends with its unit (`p50Ms`, `bytesPerEntry`, `queriesPerSecond`). */
export type Figures = Readonly<Record<string, number>>

export interface Measured {
  /** The figures for people. */
  readonly text: string
  readonly figures: Figures
}

export interface Budget {
  readonly text: string
  /** Undefined: cannot be judged, because what it is measured against is not installed. */
  readonly met: boolean | undefined
}

export interface Peer {
  readonly name: string
  /** Missing: the program is not installed, or was not run; `text` says which. */
  readonly figures?: Figures
  readonly text: string
}

/** More than one line can hold: figures per class, per section, per process. */
export interface Detail {
  readonly title: string
  readonly columns: readonly Column[]
  readonly rows: readonly (readonly string[])[]
}

export interface BenchRow {
  /** `family.what`; stable, so that runs can be compared. */
  readonly id: string
  readonly what: string
  /** Missing if the row was skipped. */
  readonly ours?: Measured
  readonly skipped?: string
  readonly budget?: Budget
  readonly peers: readonly Peer[]
  readonly notes: readonly string[]
  readonly details: readonly Detail[]
}

export type Verdict = 'pass' | 'miss' | 'not judged' | 'skipped' | ''

/** Builds a row; what is left out is empty. */
export function row(fields: Pick<BenchRow, 'id' | 'what'> & Partial<BenchRow>): BenchRow {
  return { peers: [], notes: [], details: [], ...fields }
}

export function verdictOf({ skipped, budget }: BenchRow): Verdict {
  if (skipped !== undefined) return 'skipped'
  if (budget === undefined) return ''
  if (budget.met === undefined) return 'not judged'
  return budget.met ? 'pass' : 'miss'
}

const COLUMNS: readonly Column[] = [
  { title: 'what', width: 30 },
  { title: 'ours', width: 27 },
  { title: 'budget', width: 22 },
  { title: 'result', width: 10 },
  { title: 'peer in the same run', width: 30 },
]

/** The table of all rows. */
export function formatRows(rows: readonly BenchRow[]): string {
  return formatTable(
    COLUMNS,
    rows.map(entry => [
      entry.what,
      entry.ours?.text ?? entry.skipped ?? '',
      entry.budget?.text ?? '',
      verdictOf(entry),
      entry.peers.map(({ name, text }) => `${name}: ${text}`).join('\n'),
    ]),
  )
}

/** Notes and tables below the main one. */
export function formatDetails(rows: readonly BenchRow[]): string {
  let text = ''
  for (const { id, notes, details } of rows) {
    for (const note of notes) text += `${id}: ${note}\n`
    for (const { title, columns, rows: lines } of details)
      text += `\n${id}: ${title}\n\n${formatTable(columns, lines)}\n`
  }
  return text
}
