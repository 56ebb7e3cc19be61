import { statSync } from 'node:fs'
import { basename } from 'node:path'
import { type AppendFile, NodeFileSystem, Store, type StoreOptions, WorkerSegmentBackend } from '@hotpath/store'

/** Bytes written so far, by what they were written to. */
export interface WrittenBytes {
  segments: number
  wal: number
  manifest: number
  tombstones: number
}

/** A store on the real file system that counts what it writes. */
export async function openCountingStore(
  options: Omit<StoreOptions, 'fs' | 'backend' | 'lock'>,
): Promise<{ store: Store; written: WrittenBytes }> {
  const written: WrittenBytes = { segments: 0, wal: 0, manifest: 0, tombstones: 0 }
  const store = await Store.open({
    ...options,
    fs: new CountingFileSystem(written),
    backend: new CountingBackend(written),
  })
  return { store, written }
}

class CountingFileSystem extends NodeFileSystem {
  constructor(private readonly written: WrittenBytes) {
    super()
  }

  override async create(path: string): Promise<AppendFile> {
    const file = await super.create(path)
    const name = basename(path)
    const kind = name.startsWith('wal-') ? 'wal' : name.startsWith('MANIFEST') ? 'manifest' : 'tombstones'
    return {
      append: async bytes => {
        await file.append(bytes)
        this.written[kind] += bytes.length
      },
      sync: () => file.sync(),
      close: () => file.close(),
    }
  }
}

class CountingBackend extends WorkerSegmentBackend {
  constructor(private readonly written: WrittenBytes) {
    super()
  }

  override async build(
    ...[rows, file]: Parameters<WorkerSegmentBackend['build']>
  ): ReturnType<WorkerSegmentBackend['build']> {
    const built = await super.build(rows, file)
    this.written.segments += statSync(file).size
    return built
  }

  override async merge(
    ...[sources, places, file]: Parameters<WorkerSegmentBackend['merge']>
  ): ReturnType<WorkerSegmentBackend['merge']> {
    const merged = await super.merge(sources, places, file)
    this.written.segments += statSync(file).size
    return merged
  }
}
