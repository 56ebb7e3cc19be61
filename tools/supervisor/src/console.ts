import { escapeForTerminal, LOG_LEVELS, type LogLevel } from '@hotpath/service'

/** Where text for people goes: standard error, or something like it in a test. */
export interface TextSink {
  write(text: string): unknown
  readonly isTTY?: boolean
  readonly columns?: number
}

/** Without a terminal, progress is one line in this time. */
const PLAIN_PROGRESS_EVERY_MS = 2_000
const CLEAR_LINE = '\r\u001b[2K'

/** Writes lines, and on a terminal keeps one line of progress below them. */
export class Console {
  private progressText = ''
  private plainAtMs = Number.NEGATIVE_INFINITY

  constructor(private readonly sink: TextSink) {}

  get columns(): number {
    return this.sink.isTTY ? (this.sink.columns ?? 80) - 1 : 160
  }

  line(text: string): void {
    this.sink.write(this.progressText === '' ? `${text}\n` : `${CLEAR_LINE}${text}\n${this.progressText}`)
  }

  /** Shows `text` in place of the last progress. */
  progress(text: string, nowMs: number): void {
    if (this.sink.isTTY) {
      this.progressText = text
      this.sink.write(CLEAR_LINE + text)
    } else if (nowMs - this.plainAtMs >= PLAIN_PROGRESS_EVERY_MS) {
      this.plainAtMs = nowMs
      this.sink.write(`${text}\n`)
    }
  }

  /** Takes the line of progress away. */
  endProgress(): void {
    if (this.progressText !== '') this.sink.write(CLEAR_LINE)
    this.progressText = ''
    this.plainAtMs = Number.NEGATIVE_INFINITY
  }
}

/**
 * A line of a stage's log for people: `[index-store] warn: segment set aside file="…"`. Undefined if it is below
 * `least`. A line that is not ours (a message of Node, a crash) is always shown.
 */
export function formatLogLine(stage: string, line: string, least: LogLevel): string | undefined {
  const fields = parseObject(line)
  if (fields === undefined) return `[${stage}] ${escapeForTerminal(line)}`
  const { time: _time, level, stage: _stage, component: part, event, ...rest } = fields
  if (LOG_LEVELS.slice(0, LOG_LEVELS.indexOf(least)).some(lower => lower === level)) return undefined
  const details = Object.entries(rest).map(([key, value]) => `${key}=${briefValue(value)}`)
  const head = `[${stage}] ${String(level)}: ${part === stage || part === undefined ? '' : `${String(part)}: `}${String(event)}`
  return escapeForTerminal([head, ...details].join(' '))
}

function parseObject(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null && 'event' in value ? { ...value } : undefined
  } catch {
    return undefined
  }
}

/** Errors by their message; stacks stay in the log file. */
function briefValue(value: unknown): string {
  if (typeof value === 'object' && value !== null && 'message' in value) return JSON.stringify(value.message)
  return JSON.stringify(value)
}
