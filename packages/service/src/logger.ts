/** From most to least. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** Structured fields: numbers with units in their names, errors as they are, names and paths as text or bytes. */
export type LogFields = Readonly<Record<string, unknown>>

/**
 * Given to every part that logs. `event` says in a few lower-case words what happened ("segment written"); what
 * differs from line to line stands in `fields`. Hot paths count instead of logging.
 */
export interface Logger {
  debug(event: string, fields?: LogFields): void
  info(event: string, fields?: LogFields): void
  warn(event: string, fields?: LogFields): void
  error(event: string, fields?: LogFields): void
  /** A logger for one component: `log.child('index-store.compaction')`. */
  child(component: string): Logger
}

/** One line of a log, as the supervisor and tools read it. Any further key is a field. */
export interface LogLine extends LogFields {
  readonly time: string
  readonly level: LogLevel
  readonly stage: string
  /** Which part of it: the stage's name, or that and the part's. */
  readonly component: string
  readonly event: string
}

export interface LoggerOptions {
  readonly level: LogLevel
  /** Name of the process. */
  readonly stage: string
  /** Takes one line with its line feed. */
  readonly write: (line: string) => void
  readonly now?: () => Date
}

/** A longer text in a field is cut: one hostile name must not fill a disk. */
const MAX_TEXT_LENGTH = 8_192

/**
 * Returns a logger that writes one JSON object a line. Written by hand because loading pino takes 40 ms in each of
 * five processes; lines have its shape, but level and time are words. What a terminal could obey (DEL, C1 controls,
 * bidirectional overrides, line separators) is escaped along with what JSON escapes anyway.
 */
export function createLogger(options: LoggerOptions): Logger {
  return new JsonLogger(options, options.stage)
}

class JsonLogger implements Logger {
  private readonly least: number

  constructor(
    private readonly options: LoggerOptions,
    private readonly component: string,
  ) {
    this.least = LOG_LEVELS.indexOf(options.level)
  }

  debug(event: string, fields?: LogFields): void {
    this.line(0, event, fields)
  }

  info(event: string, fields?: LogFields): void {
    this.line(1, event, fields)
  }

  warn(event: string, fields?: LogFields): void {
    this.line(2, event, fields)
  }

  error(event: string, fields?: LogFields): void {
    this.line(3, event, fields)
  }

  child(component: string): Logger {
    return new JsonLogger(this.options, component)
  }

  private line(level: number, event: string, fields: LogFields | undefined): void {
    if (level < this.least) return
    const { stage, write, now } = this.options
    const head = {
      time: (now?.() ?? new Date()).toISOString(),
      level: LOG_LEVELS[level],
      stage,
      component: this.component,
      event,
    }
    write(`${toJsonLine({ ...head, ...fields, ...head })}\n`)
  }
}

/** A logger that drops everything, for tests and tools. */
export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLogger,
}

/** Returns JSON in ASCII-safe form on one line. Never throws: a cycle or an unknown thing becomes a word. */
export function toJsonLine(value: Record<string, unknown>): string {
  const ancestors: unknown[] = []
  const json = JSON.stringify(value, function (this: Record<string, unknown>, key, item: unknown) {
    while (ancestors.length > 0 && ancestors.at(-1) !== this) ancestors.pop()
    // A Buffer has made an array of numbers of itself (toJSON) before we are asked.
    const plain = toPlain(ArrayBuffer.isView(this[key]) ? this[key] : item)
    if (typeof plain === 'object' && plain !== null) {
      if (ancestors.includes(plain) || ancestors.length > 8) return '[cycle or too deep]'
      ancestors.push(plain)
    }
    return plain
  })
  return json.replace(/[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g, escapeUnit)
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
}

function toPlain(item: unknown): unknown {
  if (typeof item === 'string') {
    return item.length > MAX_TEXT_LENGTH ? `${item.slice(0, MAX_TEXT_LENGTH)}… (${item.length} characters)` : item
  }
  if (typeof item === 'bigint') return item.toString()
  if (typeof item === 'number' && !Number.isFinite(item)) return String(item)
  if (item instanceof Error) return errorFields(item)
  if (item instanceof Map)
    return Object.fromEntries([...item].slice(0, 100).map(([key, value]) => [String(key), value]))
  if (ArrayBuffer.isView(item)) return { bytes: item.byteLength, text: textOfBytes(item) }
  return item
}

function textOfBytes(view: ArrayBufferView): string {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, Math.min(view.byteLength, 1024))
  return new TextDecoder().decode(bytes)
}

/** Name, message, code and causes of an error; the stack only of those that are bugs or unknown. */
function errorFields(error: Error): Record<string, unknown> {
  const fields: Record<string, unknown> = { name: error.name, message: error.message }
  if ('code' in error) fields.code = error.code
  if (error.stack !== undefined) fields.stack = error.stack
  if (error.cause !== undefined) fields.cause = error.cause
  return fields
}
