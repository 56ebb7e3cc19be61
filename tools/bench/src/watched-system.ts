import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Client } from '@hotpath/client'
import type { BenchContext } from './bench-context.js'
import type { RunningSystem, SystemSource } from './system.js'

const WATCHER = fileURLToPath(new URL('../../../apps/journal-watcher/bundle/main.js', import.meta.url))

/** A running system that follows one tree. */
export interface WatchedSystem {
  readonly system: RunningSystem
  readonly client: Client
  readonly tree: string
  readonly mechanism: string
}

export interface WatchedOptions extends Pick<SystemSource, 'isUnprivileged'> {
  /** A folder that is there already; else one is made. */
  readonly tree?: string
  /** Further flags of the system. */
  readonly flags?: readonly string[]
  /** Fills the folder before the system is started. */
  readonly prepare?: (tree: string) => void
}

const WATCHER_STARTS_WITHIN_MS = 15_000

/**
 * Starts a system that follows a folder, and stops it when `measure` is done.
 *
 * @param name of its folders below that of the bench
 * @returns what `measure` returns, or why there are no figures
 */
export async function withWatchedTree<T>(
  context: BenchContext,
  name: string,
  measure: (watched: WatchedSystem) => Promise<T>,
  options: WatchedOptions = {},
): Promise<{ readonly measured: T } | { readonly skipped: string }> {
  if (!existsSync(WATCHER)) return { skipped: 'the journal watcher is not built' }
  const tree = options.tree ?? join(context.folder, name)
  mkdirSync(tree, { recursive: true })
  options.prepare?.(tree)
  const system = context.startSystem(
    join(context.folder, `${name}-data`),
    ['--root', tree, ...(options.flags ?? [])],
    options,
  )
  try {
    const client = await system.connect()
    try {
      const connectedMs = performance.now()
      const status = await system.waitForStatus(client, ({ roots }) =>
        roots.some(
          ({ scan, entries, fresh }) =>
            scan === undefined &&
            entries > 0 &&
            fresh.state !== 'catching-up' &&
            // The watcher starts after what answers.
            (fresh.state !== 'unwatched' || performance.now() - connectedMs > WATCHER_STARTS_WITHIN_MS),
        ),
      )
      const mechanism = status.roots[0]?.mechanism ?? 'none'
      if (mechanism === 'none' || status.fresh.state === 'unwatched') return { skipped: 'the tree is not watched' }
      return { measured: await measure({ system, client, tree, mechanism }) }
    } finally {
      await client.close()
    }
  } finally {
    await system.stop()
  }
}
