import type { HitColumns, SearchReply, SearchRequest } from '@hotpath/protocol'

/** What a person goes back to while typing, and what a program asks in turns. */
const MAX_ANSWERS = 64
/** Of rows, in all. */
const MAX_BYTES = 4 * 1024 * 1024
/** Longer pages are seldom asked for twice. */
const MAX_ANSWER_BYTES = 512 * 1024

interface Known {
  readonly reply: SearchReply
  readonly bytes: number
}

/**
 * Answers that the gateway has kept under a number, by what was asked. Whoever asks again names the number; if the answer is
 * still right the gateway says so, and the rows are not sent and not decoded again.
 */
export class KnownAnswers {
  /** The one used longest ago first. */
  readonly #answers = new Map<string, Known>()
  #bytes = 0

  find(key: string): SearchReply | undefined {
    const known = this.#answers.get(key)
    if (known === undefined) return undefined
    this.#answers.delete(key)
    this.#answers.set(key, known)
    return known.reply
  }

  keep(key: string, reply: SearchReply): void {
    if (reply.number === undefined) return
    this.#forget(key)
    const bytes = bytesOf(reply.rows)
    if (bytes > MAX_ANSWER_BYTES) return
    // A copy: the columns are views of a message that may hold many other answers.
    this.#answers.set(key, { reply: { ...reply, rows: copyOf(reply.rows) }, bytes })
    this.#bytes += bytes
    for (const oldest of this.#answers.keys()) {
      if (this.#answers.size <= MAX_ANSWERS && this.#bytes <= MAX_BYTES) break
      this.#forget(oldest)
    }
  }

  clear(): void {
    this.#answers.clear()
    this.#bytes = 0
  }

  #forget(key: string): void {
    this.#bytes -= this.#answers.get(key)?.bytes ?? 0
    this.#answers.delete(key)
  }
}

/** What two requests have in common if they ask for the same. */
export function keyOf(request: SearchRequest): string {
  const { text, limit, offset, sort, descending, under, match, caseMode, countOnly, fuzzy } = request
  const options = `${limit}|${offset}|${sort}|${descending}|${match}|${caseMode}|${countOnly}|${fuzzy}|${text.byteLength}|`
  return options + latin1(text) + latin1(under)
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}

function bytesOf(rows: HitColumns): number {
  const { ids, pathOffsets, paths, nameStart, kind, size, hot, opens, opened } = rows
  const times = [rows.modified, rows.created, rows.accessed].flatMap(time => [time?.seconds, time?.ticks])
  const optional = [...times, hot, opens, opened]
  const columns = [ids, pathOffsets, paths, nameStart, kind, size, ...optional]
  return columns.reduce((sum, column) => sum + (column?.byteLength ?? 0), 0)
}

function copyOf({ modified, created, accessed, hot, opens, opened, ...rows }: HitColumns): HitColumns {
  const times = ({ seconds, ticks }: NonNullable<HitColumns['modified']>) => ({
    seconds: seconds.slice(),
    ticks: ticks.slice(),
  })
  return {
    count: rows.count,
    ids: rows.ids.slice(),
    pathOffsets: rows.pathOffsets.slice(),
    paths: rows.paths.slice(),
    nameStart: rows.nameStart.slice(),
    kind: rows.kind.slice(),
    size: rows.size.slice(),
    ...(modified && { modified: times(modified) }),
    ...(created && { created: times(created) }),
    ...(accessed && { accessed: times(accessed) }),
    ...(hot && { hot: hot.slice() }),
    ...(opens && { opens: opens.slice() }),
    ...(opened && { opened: opened.slice() }),
  }
}
