import { escapeForTerminal } from '@hotpath/service'

/** How far the indexing of one or more roots is. */
export interface IndexingState {
  readonly entries: number
  /** Entries that there will be, where that is known. */
  readonly knownTotal: number | undefined
  /** What is being read now. */
  readonly directory: string
}

interface Sample {
  readonly atMs: number
  readonly entries: number
}

/** Speed is taken over this time: long enough to be calm, short enough to follow a slow disk. */
const SPEED_WINDOW_MS = 3_000
const BAR_CELLS = 20

/** Turns states into the text of a progress line. Pure: the caller brings the time. */
export class Progress {
  private readonly samples: Sample[] = []
  private startedAtMs: number | undefined
  private last: IndexingState | undefined

  constructor(private readonly locale = 'en-US') {}

  /** Takes the newest state. */
  update(state: IndexingState, nowMs: number): void {
    this.startedAtMs ??= nowMs
    this.last = state
    this.samples.push({ atMs: nowMs, entries: state.entries })
    while (this.samples.length > 2 && nowMs - this.samples[1]!.atMs >= SPEED_WINDOW_MS) this.samples.shift()
  }

  get entriesPerSecond(): number {
    const first = this.samples[0]
    const last = this.samples.at(-1)
    if (first === undefined || last === undefined || last.atMs <= first.atMs) return 0
    return Math.max(0, ((last.entries - first.entries) * 1000) / (last.atMs - first.atMs))
  }

  /** One line of at most `columns` characters; control characters of paths are escaped. */
  line(columns: number): string {
    if (this.last === undefined) return ''
    const { entries, knownTotal, directory } = this.last
    const speed = this.entriesPerSecond
    const parts = [`indexing ${this.number(entries)} entries`, `${this.number(Math.round(speed))}/s`]
    if (knownTotal !== undefined && knownTotal > 0) {
      const share = Math.min(1, entries / knownTotal)
      const full = Math.floor(share * BAR_CELLS)
      parts.unshift(`[${'#'.repeat(full)}${'.'.repeat(BAR_CELLS - full)}] ${Math.floor(share * 100)} %`)
      if (speed > 0) parts.push(`${formatSeconds(Math.max(0, knownTotal - entries) / speed)} left`)
    }
    const head = parts.join('  ')
    const room = columns - head.length - 2
    const path = escapeForTerminal(directory)
    if (room < 10) return head.slice(0, columns)
    return `${head}  ${path.length <= room ? path : `…${path.slice(path.length - room + 1)}`}`
  }

  /** What is said at the end. */
  summary(entries: number, nowMs: number): string {
    const seconds = (nowMs - (this.startedAtMs ?? nowMs)) / 1000
    return `indexed ${this.number(entries)} entries in ${seconds.toFixed(1)} s`
  }

  private number(value: number): string {
    return value.toLocaleString(this.locale)
  }
}

function formatSeconds(seconds: number): string {
  const whole = Math.ceil(seconds)
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`
}
