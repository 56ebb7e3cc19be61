import { Kept } from './kept.js'
import type { SortName } from './page-state.js'

export interface Column {
  readonly id: 'name' | 'path' | 'size' | 'modified' | 'created' | 'accessed' | 'ext' | 'hot'
  readonly label: string
  readonly sort: SortName
  readonly widthPx: number
  /** Takes what is left of the window, in this proportion, until it is given a width. */
  readonly share?: number
  readonly alignsRight?: boolean
}

/** In their usual order. */
export const COLUMNS: readonly Column[] = [
  { id: 'name', label: 'Name', sort: 'name', widthPx: 220, share: 5 },
  { id: 'path', label: 'Folder', sort: 'path', widthPx: 180, share: 6 },
  { id: 'ext', label: 'Type', sort: 'ext', widthPx: 84 },
  { id: 'size', label: 'Size', sort: 'size', widthPx: 92, alignsRight: true },
  { id: 'modified', label: 'Modified', sort: 'modified', widthPx: 148 },
  { id: 'created', label: 'Created', sort: 'created', widthPx: 148 },
  { id: 'accessed', label: 'Accessed', sort: 'accessed', widthPx: 148 },
  { id: 'hot', label: 'Heat', sort: 'hot', widthPx: 76 },
]

export const LEAST_WIDTH_PX = 56
const MOST_WIDTH_PX = 2_000

export interface ColumnLayout {
  /** In the order in which they stand. */
  readonly shown: readonly Column['id'][]
  /** Of columns that were given one. */
  readonly widths: Readonly<Partial<Record<Column['id'], number>>>
}

export const USUAL_LAYOUT: ColumnLayout = { shown: ['name', 'path', 'ext', 'size', 'modified'], widths: {} }

export function checkedLayout(stored: unknown): ColumnLayout | undefined {
  if (typeof stored !== 'object' || stored === null) return undefined
  const { shown, widths } = stored as { shown?: unknown; widths?: unknown }
  if (!Array.isArray(shown) || typeof widths !== 'object' || widths === null) return undefined
  const given = widths as Record<string, unknown>
  const known = [...new Set(shown)].flatMap(id => COLUMNS.find(column => column.id === id)?.id ?? [])
  const right = COLUMNS.flatMap(({ id }) => {
    const width = given[id]
    return typeof width === 'number' && Number.isFinite(width) ? [[id, clampWidth(width)] as const] : []
  })
  return { shown: known.includes('name') ? known : ['name', ...known], widths: Object.fromEntries(right) }
}

export function clampWidth(widthPx: number): number {
  return Math.round(Math.min(MOST_WIDTH_PX, Math.max(LEAST_WIDTH_PX, widthPx)))
}

export function shownColumns({ shown }: ColumnLayout): readonly Column[] {
  return shown.map(id => COLUMNS.find(column => column.id === id)!)
}

/** With one column more, behind the shown one that usually stands nearest before it. */
export function withColumn({ shown, widths }: ColumnLayout, id: Column['id']): ColumnLayout {
  if (shown.includes(id)) return { shown, widths }
  const usual = COLUMNS.map(column => column.id)
  const before = usual.slice(0, usual.indexOf(id)).findLast(one => shown.includes(one))
  const at = before === undefined ? 0 : shown.indexOf(before) + 1
  return { shown: shown.toSpliced(at, 0, id), widths }
}

/** With a column at another place, counted without it; places beyond an end are that end. */
export function withColumnAt({ shown, widths }: ColumnLayout, id: Column['id'], at: number): ColumnLayout {
  const others = shown.filter(one => one !== id)
  return { shown: others.toSpliced(Math.max(0, at), 0, id), widths }
}

/** For CSS. The last track takes what columns of fixed widths leave. */
export function gridTemplate(layout: ColumnLayout): string {
  const tracks = shownColumns(layout).map(({ id, widthPx, share }) => {
    const given = layout.widths[id]
    if (given !== undefined) return `${given}px`
    return share === undefined ? `${widthPx}px` : `minmax(${widthPx}px, ${share}fr)`
  })
  return `${tracks.join(' ')} minmax(0, 0.001fr)`
}

/** Below this the columns do not fit, and the list is scrolled sideways. */
export function leastWidthPx(layout: ColumnLayout): number {
  return shownColumns(layout).reduce((sum, { id, widthPx }) => sum + (layout.widths[id] ?? widthPx), 0)
}

export class ColumnSettings extends Kept<ColumnLayout> {
  constructor() {
    super('columns', checkedLayout, USUAL_LAYOUT)
  }

  show(id: Column['id'], on: boolean): void {
    const { shown, widths } = this.current
    this.set(on ? withColumn(this.current, id) : { shown: shown.filter(one => one !== id), widths })
  }

  /** @returns its place then, from 0 */
  move(id: Column['id'], at: number): number {
    const moved = withColumnAt(this.current, id, at)
    this.set(moved)
    return moved.shown.indexOf(id)
  }

  resize(id: Column['id'], widthPx: number | undefined): void {
    const { shown, widths } = this.current
    const { [id]: _, ...others } = widths
    this.set({ shown, widths: widthPx === undefined ? others : { ...others, [id]: clampWidth(widthPx) } })
  }
}
