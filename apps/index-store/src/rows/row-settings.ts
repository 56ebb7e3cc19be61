import { createHash } from 'node:crypto'
import { basename, dirname, join } from 'node:path'
import type { DatabaseSetting } from '@hotpath/service'
import type { ShelfSetting } from './row-shelf.js'

/** The rows of which followed databases are searched: those with columns to be indexed. */
export class RowSettings {
  private readonly searched: readonly {
    readonly setting: DatabaseSetting
    readonly isOfPath: (path: string) => boolean
  }[]

  constructor(
    settings: readonly DatabaseSetting[],
    private readonly dataDir: string,
  ) {
    this.searched = settings
      .filter(({ text }) => text.length > 0)
      .map(setting => ({ setting, isOfPath: pathTest(setting.path) }))
  }

  /** Whether there is anything to be searched. */
  get isEmpty(): boolean {
    return this.searched.length === 0
  }

  /** How the rows of a followed database are kept; undefined if they are not searched. */
  shelfOf(database: string, path: string): ShelfSetting | undefined {
    const setting = this.searched.find(({ isOfPath }) => isOfPath(path))?.setting
    if (setting === undefined) return undefined
    // Nothing of an encrypted database is stored in clear.
    const directory = setting.key === undefined ? join(this.dataDir, 'rows', directoryName(path)) : undefined
    return { database, text: setting.text, directory }
  }
}

/** Tells paths of files that a setting means; `*` and `?` stand for parts of the last name. */
function pathTest(pattern: string): (path: string) => boolean {
  const name = basename(pattern)
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '[^/]*')
    .replaceAll('?', '[^/]')
  const test = new RegExp(`^${name}$`, 'u')
  return path => dirname(path) === dirname(pattern) && test.test(basename(path))
}

function directoryName(path: string): string {
  return createHash('sha256').update(path).digest('hex').slice(0, 16)
}
