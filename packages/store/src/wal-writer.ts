import { encodeWalHeader, encodeWalRecord } from '@hotpath/index-format'
import { UnavailableError } from '@hotpath/model'
import type { AppendFile, FileSystem } from './file-system.js'
import { walName } from './store-files.js'

type Task =
  | { kind: 'record'; bytes: Uint8Array; done: () => void; failed: (error: Error) => void }
  | { kind: 'rotate'; number: number }

/**
 * Appends records with group commit: what is queued while a sync runs is written and synced together. After any
 * failure nothing more is written and every pending and later append fails: what the disk holds is unknown then
 * (a second fsync may report success for data that is gone).
 */
export class WalWriter {
  /** Bytes of records in the current file, queued ones included. */
  currentBytes = 0
  /** Syncs so far: with `records` it says how well commits are grouped. */
  syncs = 0
  records = 0
  private readonly queue: Task[] = []
  private file: AppendFile | undefined
  private running: Promise<void> | undefined
  private failure: Error | undefined
  private closed = false

  /** @param number of the first file, which `begin` makes */
  constructor(
    private readonly fs: FileSystem,
    private readonly directory: string,
    private readonly storeId: string,
    private number: number,
    /** Called with the first failure. @returns what those are told who wait for their records, or come later */
    private readonly onFailure: (error: Error) => Error,
  ) {}

  /** Makes the first file. Nothing can be appended before. */
  async begin(): Promise<void> {
    await this.openFile(this.number)
  }

  /** Number of the file to which the next record goes. */
  get currentNumber(): number {
    return this.number
  }

  /** Resolves when the record is on disk. Records are written in the order of the calls. */
  append(type: number, content: Uint8Array): Promise<void> {
    const refused = this.failure ?? (this.closed ? new UnavailableError('the log is closed') : undefined)
    if (refused) return Promise.reject(refused)
    const bytes = encodeWalRecord(type, content)
    this.currentBytes += bytes.length
    return new Promise((done, failed) => {
      this.queue.push({ kind: 'record', bytes, done, failed })
      this.run()
    })
  }

  /** Seals the current file, if it holds records. @returns number of the file to which later records go */
  rotate(): number {
    if (this.currentBytes === 0 || this.failure || this.closed) return this.number
    this.number++
    this.currentBytes = 0
    this.queue.push({ kind: 'rotate', number: this.number })
    this.run()
    return this.number
  }

  /** Writes what is queued, then closes the file. Never throws: failures were told to `onFailure`. */
  async close(): Promise<void> {
    this.closed = true
    while (this.running) await this.running
    const { file } = this
    this.file = undefined
    await file?.close().catch((error: Error) => void this.fail(error))
  }

  private run(): void {
    this.running ??= this.drain()
      .catch((error: Error) => void this.fail(error))
      .finally(() => {
        this.running = undefined
        if (this.queue.length > 0) this.run()
      })
  }

  private async drain(): Promise<void> {
    // Records of the same turn of the event loop belong to one commit.
    await Promise.resolve()
    while (this.queue.length > 0) {
      if (this.failure) throw this.failure
      const rotation = this.queue.findIndex(task => task.kind === 'rotate')
      const group = this.queue.splice(0, rotation < 0 ? this.queue.length : Math.max(1, rotation))
      const first = group[0]
      if (first.kind === 'rotate') {
        await this.file?.close()
        await this.openFile(first.number)
        continue
      }
      try {
        await this.commit(group)
      } catch (error) {
        const failure = this.fail(error instanceof Error ? error : new Error(String(error)))
        for (const task of group) if (task.kind === 'record') task.failed(failure)
        throw failure
      }
      for (const task of group) if (task.kind === 'record') task.done()
    }
  }

  private async commit(group: Task[]): Promise<void> {
    const parts = group.flatMap(task => (task.kind === 'record' ? [task.bytes] : []))
    const bytes = parts.length === 1 ? parts[0] : Buffer.concat(parts)
    if (!this.file) throw new UnavailableError('the log is closed')
    await this.file.append(bytes)
    await this.file.sync()
    this.syncs++
    this.records += parts.length
  }

  private async openFile(number: number): Promise<void> {
    const file = await this.fs.create(`${this.directory}/${walName(number)}`)
    this.file = file
    const header = encodeWalHeader({ number, storeId: this.storeId })
    await file.append(header)
    await file.sync()
    await this.fs.syncDirectory(this.directory)
  }

  private fail(error: Error): Error {
    if (this.failure) return this.failure
    const failure = this.onFailure(error)
    this.failure = failure
    for (const task of this.queue.splice(0)) if (task.kind === 'record') task.failed(failure)
    return failure
  }
}
