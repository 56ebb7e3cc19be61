import { homedir, platform } from 'node:os'
import type { Duplex } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { type Config, flagsOf, type StageName } from '@hotpath/service'
import type { StageSpec } from './stage-process.js'

/** What the watcher works with and what outlives it, by descriptor. */
export interface WatcherInheritance {
  readonly fanotifyFd: number
  /** Memory for the events that a watcher has read, so that the next one finds them. */
  readonly journalFd: number
  /** Where the watcher may not mark file systems itself. */
  readonly marks?: WatcherMarks | undefined
}

/** Marks file systems for the watcher. */
export interface WatcherMarks {
  /** All that are followed are marked then, the first time. */
  prepare(): Promise<void>
  /** Answers what a watcher asks for later. */
  serve(requests: Duplex): void
}

/** Descriptor number under which a stage finds what it inherits first: the first after the three standard ones. */
const FIRST_INHERITED_FD = 3

/** Main module of a stage. */
export function stageScript(name: StageName): string {
  return fileURLToPath(new URL(`../../../apps/${name}/bundle/main.js`, import.meta.url))
}

/**
 * Who answers searches gives memory back by itself. V8's own way, some seconds after the last of them, takes compiled code with it, and the next
 * search is as slow as the first.
 */
const ANSWERING: Pick<StageSpec, 'nodeFlags'> = { nodeFlags: ['--no-memory-reducer'] }

/**
 * The stages of a system, in the groups in which they stop: the sources, then who asks, then the store. Without
 * watching there is no watcher. The sources start late: the index on disk answers without them.
 */
export function stageGroups(config: Config, inheritance: WatcherInheritance | undefined): StageSpec[][] {
  const flags = flagsOf(
    { ...config, fresh: false },
    {
      environment: process.env,
      homeDirectory: homedir(),
      platform: platform(),
    },
  )
  const stage = (name: StageName, more: Partial<StageSpec> = {}): StageSpec => ({
    name,
    script: stageScript(name),
    arguments: [...flags, '--supervised'],
    ...more,
  })
  const watcher = stage('journal-watcher', { isLate: true, ...inherited([...flags, '--supervised'], inheritance) })
  return [
    [stage('scanner', { isLate: true }), ...(config.watch ? [watcher] : [])],
    [stage('gateway', ANSWERING)],
    [stage('index-store', { ...ANSWERING, ...(config.fresh && { firstArguments: ['--fresh'] }) })],
  ]
}

/** What a watcher is given, and the flags that tell it where. */
function inherited(flags: readonly string[], inheritance: WatcherInheritance | undefined): Partial<StageSpec> {
  if (inheritance === undefined) return {}
  const { fanotifyFd, journalFd, marks } = inheritance
  const names = ['fanotify', 'event-journal', ...(marks === undefined ? [] : ['marks'])]
  return {
    arguments: [...flags, ...names.map((name, i) => `--${name}-fd=${FIRST_INHERITED_FD + i}`)],
    inheritedFds: [fanotifyFd, journalFd],
    ...(marks !== undefined && {
      prepare: () => marks.prepare(),
      connect: (requests: Duplex) => marks.serve(requests),
    }),
  }
}
