import { resolve } from 'node:path'
import {
  type CaseMode,
  type Hit as ClientHit,
  type LiveChange,
  QueryError,
  type ResyncReason,
  type Watch,
} from '@hotpath/client'
import { type ClientFlags, type CommandContext, CommandError, CommandExit, note, withClient } from '../context.js'
import { ByteWriter } from '../output/byte-writer.js'
import { type ChangeKind, type WatchFormat, watchFormat } from '../output/watch-format.js'
import { describeQueryError } from './search.js'
import { parseSort } from './sort-names.js'

export interface WatchFlags extends ClientFlags {
  readonly limit: number
  readonly sort?: string
  readonly ndjson?: boolean
  readonly print0?: boolean
  readonly fuzzy?: boolean
  readonly case?: CaseMode
  readonly under?: string
  readonly waitClock?: boolean
}

/**
 * `hotpath watch QUERY`: prints what the query finds, then what becomes of it, until it is interrupted or nobody reads.
 * A reader that is slow holds up the messages, not memory.
 */
export async function watch(query: string, flags: WatchFlags, context: CommandContext): Promise<number> {
  if (flags.ndjson && flags.print0) throw new CommandError('only one of --ndjson and -0 can be given')
  const format = watchFormat({ isTerminal: context.isTerminal, ndjson: flags.ndjson, print0: flags.print0 })
  const stopping = new AbortController()
  context.interrupted.addEventListener('abort', () => stopping.abort(), { once: true })
  const printer = new WatchPrinter(format, context, () => stopping.abort())
  return withClient(context, flags, async client => {
    const minClock = flags.waitClock ? (await client.clock()).clock : undefined
    const params = {
      query,
      limit: flags.limit,
      ...(flags.sort === undefined ? {} : parseSort(flags.sort)),
      fuzzy: flags.fuzzy ?? false,
      ...(flags.case === undefined ? {} : { caseMode: flags.case }),
      ...(flags.under === undefined ? {} : { under: resolve(context.workingDirectory, flags.under) }),
      ...(minClock === undefined ? {} : { minClock }),
    }
    const handlers = {
      onHits: async (result: { hits: readonly ClientHit[]; total: number; partial: boolean }) => {
        if (result.total > result.hits.length)
          note(
            context,
            `only the first ${result.hits.length} of ${result.total} hits are watched; - is also what others push out`,
          )
        if (result.partial) note(context, 'a part of the index is missing; see `hotpath status`')
        await printer.begin(result.hits)
      },
      onChange: (change: LiveChange) => printer.change(change),
      onResync: async (result: { hits: readonly ClientHit[] }, reason: ResyncReason) => {
        if (reason === 'fresh-instance') note(context, 'changes may have been missed; what differs now follows')
        await printer.replace(result.hits)
      },
      onAway: () => note(context, 'the index does not answer; waiting for it'),
    }
    let running: Watch
    try {
      running = await client.live(params, handlers)
    } catch (error) {
      if (error instanceof QueryError) throw new CommandError(describeQueryError(error, Buffer.from(query)))
      throw error
    }
    await Promise.race([running.ended, untilAborted(stopping.signal)])
    running.close()
    return CommandExit.found
  })
}

/** Prints hits and what becomes of them; remembers what it has printed to name what goes. */
class WatchPrinter {
  private readonly out: ByteWriter
  private readonly shown = new Map<string, ClientHit>()

  constructor(
    private readonly format: WatchFormat,
    context: CommandContext,
    private readonly onClosed: () => void,
  ) {
    this.out = new ByteWriter(context.out)
    context.out.once('close', onClosed)
  }

  async begin(hits: readonly ClientHit[]): Promise<void> {
    for (const hit of hits) await this.print('hit', hit)
    await this.flush()
  }

  async change({ removed, changed, added }: LiveChange): Promise<void> {
    for (const id of removed) await this.forget(id)
    for (const { hit } of changed) await this.print('changed', hit)
    for (const { hit } of added) await this.print('added', hit)
    await this.flush()
  }

  /** All hits again: what differs from what was printed is printed. */
  async replace(hits: readonly ClientHit[]): Promise<void> {
    const stays = new Set(hits.map(hit => hit.id))
    for (const id of [...this.shown.keys()]) if (!stays.has(id)) await this.forget(id)
    for (const hit of hits) {
      const known = this.shown.get(hit.id)
      if (known === undefined) await this.print('added', hit)
      else if (!looksAlike(known, hit)) await this.print('changed', hit)
    }
    await this.flush()
  }

  private async forget(id: string): Promise<void> {
    const hit = this.shown.get(id)
    if (hit === undefined) return
    this.shown.delete(id)
    await this.out.write(this.format('removed', hit))
  }

  private async print(kind: ChangeKind, hit: ClientHit): Promise<void> {
    // A copy: the path is a view of the message that brought it.
    this.shown.set(hit.id, { ...hit, pathBytes: new Uint8Array(hit.pathBytes) })
    await this.out.write(this.format(kind, hit))
  }

  private async flush(): Promise<void> {
    await this.out.flush()
    if (this.out.closed) this.onClosed()
  }
}

function looksAlike(a: ClientHit, b: ClientHit): boolean {
  const facts = ({ kind, sizeBytes, modified, created, accessed, fuzzy }: ClientHit) =>
    JSON.stringify([kind, sizeBytes, modified, created, accessed, fuzzy])
  return Buffer.compare(a.pathBytes, b.pathBytes) === 0 && facts(a) === facts(b)
}

function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise(resolve => signal.addEventListener('abort', () => resolve(), { once: true }))
}
