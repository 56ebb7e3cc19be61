import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Client } from '@hotpath/client'
import { type Corpus, makeCorpus, openCorpus } from './corpus/corpus.js'
import { buildEngineIndex, type EngineIndex } from './engine-index.js'
import type { BenchOptions } from './options.js'
import { buildPlocate, type PlocateDatabase } from './peers/plocate.js'
import { cpuMsOf, memoryOf, type TreeMemory } from './process-tree.js'
import { isComplete, RunningSystem, type SystemSource } from './system.js'

/** A system with the corpus in it, and what was seen while it read it. */
export interface BuiltSystem {
  readonly system: RunningSystem
  readonly client: Client
  readonly entries: number
  /** From the start of the supervisor until the status says that all is there. */
  readonly buildMs: number
  readonly buildCpuMs: number
  /** Largest sum over its processes, sampled. */
  readonly peak: TreeMemory
  readonly memorySamples: number
}

/** Memory is read this often while a system builds: reading stops each process for a millisecond or more. */
const MEMORY_SAMPLE_MS = 200

/**
 * What rows share, made when the first one asks for it: corpus, peers' databases, an index in this process, a running
 * system. Everything lies in one temporary folder.
 */
export class BenchContext {
  readonly folder: string
  private corpusMade: Promise<Corpus> | undefined
  private engineMade: Promise<EngineIndex> | undefined
  private plocateMade: Promise<PlocateDatabase | undefined> | undefined
  private systemMade: Promise<BuiltSystem> | undefined
  private readonly running = new Set<{ stop(): Promise<void> }>()

  constructor(
    readonly options: BenchOptions,
    readonly log: (text: string) => void,
  ) {
    this.folder = mkdtempSync(join(tmpdir(), 'hotpath-bench-'))
  }

  /** `full` in a real run, `smoke` in a smoke run. */
  scale(full: number, smoke: number): number {
    return this.options.smoke ? smoke : full
  }

  corpus(): Promise<Corpus> {
    const { corpus, entries, distinct } = this.options
    this.corpusMade ??=
      corpus === undefined
        ? makeCorpus(join(this.folder, 'corpus'), entries, this.scale(500, 150), distinct)
        : openCorpus(corpus)
    return this.corpusMade
  }

  engineIndex(): Promise<EngineIndex> {
    this.engineMade ??= this.corpus().then(({ listFile }) => {
      this.log('building an index in one process')
      return buildEngineIndex(listFile, join(this.folder, 'engine-index'))
    })
    return this.engineMade
  }

  /** Undefined if plocate is not installed. */
  plocate(): Promise<PlocateDatabase | undefined> {
    this.plocateMade ??= this.corpus().then(({ pathsFile }) => {
      this.log('building the database of plocate')
      return buildPlocate(pathsFile, join(this.folder, 'plocate.db'))
    })
    return this.plocateMade
  }

  /** Started with the first call; runs until `stopSystem` or the end of the bench. */
  system(): Promise<BuiltSystem> {
    this.systemMade ??= this.buildSystem()
    return this.systemMade
  }

  /** Flags of the system that holds the corpus. */
  async systemFlags(): Promise<string[]> {
    const { listFile } = await this.corpus()
    return ['--list', listFile, '--no-watch']
  }

  get systemDataDir(): string {
    return join(this.folder, 'data')
  }

  /** A system of a row's own; stopped at the end if the row does not. */
  startSystem(
    dataDir: string,
    flags: readonly string[],
    how: Pick<SystemSource, 'isUnprivileged'> = {},
  ): RunningSystem {
    const system = RunningSystem.start({ dataDir, flags, ...how })
    return this.own(system)
  }

  /** Something that runs; stopped at the end if the row does not. */
  own<T extends { stop(): Promise<void> }>(running: T): T {
    this.running.add(running)
    return running
  }

  /** Its index stays on disk; the next `system()` would build it anew. */
  async stopSystem(): Promise<void> {
    if (this.systemMade === undefined) return
    const { client, system } = await this.systemMade
    await client.close()
    await system.stop()
  }

  /** Ends what runs and removes what was made. */
  async close(): Promise<void> {
    const { systemMade, engineMade } = this
    // First: whoever still waits for one of them is told that it is gone.
    for (const running of this.running) await running.stop()
    if (systemMade) await systemMade.then(({ client }) => client.close()).catch(() => {})
    if (engineMade) await engineMade.then(({ store }) => store.close()).catch(() => {})
    if (this.options.keep) this.log(`corpus and indexes are in ${this.folder}`)
    else rmSync(this.folder, { recursive: true, force: true })
  }

  private async buildSystem(): Promise<BuiltSystem> {
    const flags = await this.systemFlags()
    this.log('building an index with the whole system')
    const system = this.startSystem(this.systemDataDir, flags)
    let peak: TreeMemory = { anonymousBytes: 0, pssBytes: 0, fileBytes: 0 }
    let memorySamples = 0
    const sampler = setInterval(() => {
      const memory = memoryOf(system.pids)
      memorySamples++
      if (memory.anonymousBytes > peak.anonymousBytes) peak = memory
    }, MEMORY_SAMPLE_MS)
    try {
      const client = await system.connect()
      const { entries } = await system.waitForStatus(client, isComplete)
      const buildMs = performance.now() - system.startedMs
      const buildCpuMs = cpuMsOf(system.pids)
      // Slices are merged behind the answers: that belongs to the peak.
      await system.settle()
      return { system, client, entries, buildMs, buildCpuMs, peak, memorySamples }
    } finally {
      clearInterval(sampler)
    }
  }
}
