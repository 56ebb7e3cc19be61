import { open } from 'node:fs/promises'
import { ListWriter } from '@hotpath/file-list'
import { Kind } from '@hotpath/model'
import { Random } from '@hotpath/testing'
import { DistinctNames } from './distinct-names.js'
import { type SyntheticEntry, syntheticTree } from './synthetic-tree.js'

export interface SyntheticCorpusOptions {
  readonly listFile: string
  readonly pathsFile: string
  readonly entries: number
  readonly seed: number
  /** Entries that come back as a sample, spread over all. */
  readonly samplePaths: number
  /** No name occurs twice. */
  readonly distinct: boolean
}

export interface WrittenCorpus {
  readonly entries: number
  readonly directories: number
  readonly listBytes: number
  readonly sample: readonly SyntheticEntry[]
}

/** Bytes written at a time. */
const WRITE_BYTES = 1 << 20

/** Writes the same synthetic tree as an EFU list and as paths. Equal options give equal bytes. */
export async function writeSyntheticCorpus(options: SyntheticCorpusOptions): Promise<WrittenCorpus> {
  const { entries: count, seed, samplePaths } = options
  const list = await open(options.listFile, 'w')
  const paths = await open(options.pathsFile, 'w')
  try {
    const rows = new ListWriter({ format: 'efu', times: ['modified'] })
    const lines = new ListWriter({ format: 'text' })
    const sample: SyntheticEntry[] = []
    const every = Math.max(1, Math.floor(count / samplePaths))
    let entries = 0
    let directories = 0
    let listBytes = 0
    const drain = async (): Promise<void> => {
      const bytes = rows.take()
      listBytes += bytes.length
      await list.writeFile(bytes)
      await paths.writeFile(lines.take())
    }
    const names = new DistinctNames()
    for (const made of syntheticTree(new Random(seed), count)) {
      const entry = options.distinct ? names.of(made) : made
      const path = Buffer.from(entry.path)
      const { kind, size } = entry
      rows.add({ path, kind, size, modified: { seconds: entry.modifiedSeconds, ticks: 0 } })
      lines.add({ path, kind, size })
      if (entries % every === 0) sample.push(entry)
      entries++
      if (kind === Kind.directory) directories++
      if (rows.pendingBytes > WRITE_BYTES) await drain()
    }
    await drain()
    return { entries, directories, listBytes, sample }
  } finally {
    await list.close()
    await paths.close()
  }
}
