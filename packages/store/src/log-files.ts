import type { FileSystem } from './file-system.js'
import { walName } from './store-files.js'
import type { WalWriter } from './wal-writer.js'

/** The row of log files: the one that grows, and the sealed ones that some view still needs. */
export class LogFiles {
  /** @param sealed numbers of the files before the writer's */
  constructor(
    private readonly fs: FileSystem,
    private readonly directory: string,
    private readonly writer: WalWriter,
    private sealed: number[],
  ) {}

  /** Names of all files. */
  names(): string[] {
    return [...this.sealed, this.writer.currentNumber].map(walName)
  }

  /** Seals the current file if it holds records. @returns number of the file to which later records go */
  rotate(): number {
    const before = this.writer.currentNumber
    const number = this.writer.rotate()
    if (number !== before) this.sealed.push(before)
    return number
  }

  /** Removes the files before the first one that is needed. */
  async removeBefore(needed: readonly number[]): Promise<void> {
    const first = Math.min(this.writer.currentNumber, ...needed)
    const old = this.sealed.filter(number => number < first)
    this.sealed = this.sealed.filter(number => number >= first)
    for (const number of old) await this.fs.remove(`${this.directory}/${walName(number)}`)
  }
}
