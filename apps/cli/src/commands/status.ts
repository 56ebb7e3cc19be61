import { setTimeout as sleep } from 'node:timers/promises'
import type { StatusReply } from '@hotpath/client'
import { type CommandContext, CommandError, CommandExit, type DataFlags } from '../context.js'
import { beginningOf } from '../finder/text-width.js'
import type { IndexClient } from '../index-client.js'
import { textOf } from '../output/hit.js'
import { safeJson } from '../output/safe-json.js'
import { describeStatus, type SystemStatus } from '../status/status-text.js'

export interface StatusFlags extends DataFlags {
  readonly json?: boolean
  readonly watch?: boolean
}

const EVERY_MS = 1_000
const ANSWER_TIMEOUT_MS = 2_000
/** A watcher that is there answers at once; where there is none nobody waits for it. */
const WATCHER_TIMEOUT_MS = 500

/** `hotpath status`: what runs, what is indexed, and how fresh it is. Starts nothing. */
export async function status(flags: StatusFlags, context: CommandContext): Promise<number> {
  if (flags.watch && (flags.json || !context.isTerminal))
    throw new CommandError('--watch needs a terminal, and no --json')
  const config = await context.configure(flags.data)
  let client: IndexClient | undefined
  const connect = async () => {
    client ??= await context.connect(config, { start: false, say: () => {} })
    return client
  }
  const look = async (): Promise<SystemStatus> => {
    const connection = connect()
    const [index, databases, stages] = await Promise.all([
      connection
        .then(
          one => one.status({ timeoutMs: ANSWER_TIMEOUT_MS }),
          // Whatever else answers is worth showing.
        )
        .catch((error: unknown) => (error instanceof Error ? error : new Error(String(error)))),
      connection
        .then(one => one.databases({ timeoutMs: WATCHER_TIMEOUT_MS }))
        // Without a watcher nothing is known of databases.
        .catch(() => []),
      context.stages(config),
    ])
    const known = index instanceof Error ? { index: undefined, problem: index.message } : { index }
    return { ...known, databases, stages, atMs: performance.now() }
  }
  try {
    const first = await look()
    if (first.index === undefined && first.stages.length === 0) throw new CommandError(first.problem ?? 'nothing runs')
    if (flags.json) context.out.write(`${safeJson(statusObject(first), 2)}\n`)
    else if (flags.watch) await showAgain(first, look, context)
    else context.out.write(`${describeStatus(first).join('\n')}\n`)
    return first.index === undefined ? CommandExit.error : CommandExit.found
  } finally {
    await client?.close()
  }
}

/** Draws over what was drawn, from the top of the screen, until Ctrl-C. */
async function showAgain(
  first: SystemStatus,
  look: () => Promise<SystemStatus>,
  context: CommandContext,
): Promise<void> {
  const { interrupted, out } = context
  let before: SystemStatus | undefined
  let now = first
  out.write('\u001b[2J')
  while (!interrupted.aborted) {
    const columns = 'columns' in out && typeof out.columns === 'number' ? out.columns : 80
    const rows = 'rows' in out && typeof out.rows === 'number' ? out.rows : 24
    const lines = describeStatus(now, before).slice(0, rows - 1)
    out.write(`\u001b[H${lines.map(line => `${beginningOf(line, columns)}\u001b[K\n`).join('')}\u001b[J`)
    await sleep(EVERY_MS, undefined, { signal: interrupted }).catch(() => {})
    if (interrupted.aborted) return
    before = now
    now = await look()
  }
}

function statusObject({ index, problem, databases, stages }: SystemStatus) {
  return { ...(index === undefined ? { problem } : { ...indexObject(index), databases }), processes: stages }
}

function indexObject(reply: StatusReply) {
  const roots = reply.roots.map(root => ({
    ...root,
    fresh: freshObject(root.fresh),
    scan: root.scan && { ...root.scan, currentDirectory: textOf(root.scan.currentDirectory) },
    mounts: root.mounts?.map(mount => ({ ...mount, path: textOf(mount.path) })),
  }))
  return { ...reply, fresh: freshObject(reply.fresh), roots }
}

function freshObject(fresh: StatusReply['fresh']) {
  return { ...fresh, dirtySubtrees: fresh.dirtySubtrees.map(textOf) }
}
