import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RootSpec } from '@hotpath/model'
import { silentLogger } from '@hotpath/service'
import { openStore, type Store } from '@hotpath/store'
import { RootKeeper, type RootKeeperOptions } from '../roots/root-keeper.js'
import { FakeDisk } from './fake-disk.js'
import { FakeSources } from './fake-sources.js'

export const ROOT: RootSpec = { id: 'root', kind: 'tree', path: FakeDisk.PATH }

/** A store and its keeper over a disk in memory; either can be started again. */
export class RepairRig {
  readonly disk = new FakeDisk()
  readonly sources = new FakeSources(this.disk)
  /** Reasons for which subscribers were told that they missed something. */
  readonly gaps: string[] = []
  store!: Store
  keeper!: RootKeeper
  private readonly directory = mkdtempSync(join(tmpdir(), 'hotpath-repair-'))

  async open(options: Partial<Pick<RootKeeperOptions, 'verify' | 'absenceMs'>> = {}): Promise<void> {
    this.store = await openStore({ directory: this.directory, now: () => this.disk.now * 1_000 })
    this.keeper = new RootKeeper({
      store: this.store,
      sources: this.sources,
      log: silentLogger,
      watch: true,
      scan: true,
      scanOptions: { excludes: [], crossFileSystems: false, threads: 1, namesOnly: false },
      verify: { rate: 0 },
      onFresh: () => {},
      onGap: (_root, reason) => this.gaps.push(reason),
      onProgress: () => {},
      ...options,
    })
    this.sources.store = this.store
    this.sources.keeper = this.keeper
    this.keeper.start([ROOT])
  }

  /** The store's process ends in order; the watcher goes on. */
  async closeStore(): Promise<void> {
    this.keeper.stop()
    await this.store.close()
  }

  async remove(): Promise<void> {
    this.sources.stopLooking()
    await this.closeStore()
    rmSync(this.directory, { recursive: true })
  }

  /** Forgets what was counted so far. */
  forget(): void {
    this.sources.scans = 0
    this.sources.checks.length = 0
    this.gaps.length = 0
  }

  get state(): string {
    return this.keeper.freshOf(ROOT.id)?.state ?? ''
  }

  get counts(): { checked: number; wrong: number; repaired: number; losses: number } {
    const { checked, wrong, repaired, losses } = this.keeper.statuses()[0]
    return { checked, wrong, repaired, losses }
  }

  /** The first thing in which the index is not the disk; empty if there is none. */
  difference(): string {
    const directories = this.store.directories(ROOT.id)
    if (!directories) return 'there is no index'
    const onDisk = this.disk.directories()
    for (const [path, node] of onDisk) {
      const id = directories.find(node.ref)
      if (id === 0) return `${path} is missing`
      if (!directories.hasTimes(id, node.modified, node.changed)) return `${path} has other times`
      const digest = directories.digest(id).next().value
      const { count, low, high } = this.disk.digestOf(node)
      if (!digest || digest.count !== count) return `${path} has ${digest?.count} entries, not ${count}`
      if (digest.low !== low || digest.high !== high) return `${path} has other entries`
    }
    const count = [...directories.all()].length
    return count === onDisk.size ? '' : `${count} directories, not ${onDisk.size}`
  }
}
