import { pageCountOf, parseDatabaseHeader } from '@hotpath/sqlite'
import { type CopyTarget, copyDatabase } from './file-copy.js'
import type { FollowedState } from './followed-state.js'
import type { LogTracker } from './log-tracker.js'
import type { OpenFile } from './open-file.js'
import type { PageCodec } from './page-codec.js'
import { PageOverlay } from './page-overlay.js'
import type { Shadow } from './shadow.js'

export interface Reading {
  readonly file: OpenFile
  readonly codec: PageCodec
  readonly tracker: LogTracker
  readonly state: FollowedState
  readonly shadow: Shadow
  readonly spillFile: string
  readonly memoryBytes: number
  isStopped(): boolean
}

/** Takes all of a database over into the empty shadow. Returns its pages; undefined: not now. */
export function fillShadow(reading: Reading): number | undefined {
  const { file, codec, shadow, tracker } = reading
  const { pageSize } = codec
  shadow.clear()
  shadow.pageSize = pageSize
  const target: CopyTarget = {
    take(first, bytes, isWanted) {
      for (let at = 0, no = first; at < bytes.length; at += pageSize, no++) {
        const page = bytes.subarray(at, at + pageSize)
        if (isWanted(no)) shadow.write(no, page)
      }
    },
    log({ pages }) {
      for (const no of pages.numbers()) shadow.write(no, pages.get(no)!)
    },
  }
  const copied = copyDatabase(file, pageSize, tracker, target, reading.isStopped)
  if (typeof copied === 'string') return undefined
  return copied.pageCount ?? pagesOf(file, codec, shadow.page(1))
}

/** Everything in which a database is not what the shadow has. Undefined: not now. The caller closes the pages. */
export function compareWithShadow(
  reading: Reading,
): { readonly pages: PageOverlay; readonly pageCount: number } | undefined {
  const { file, codec, shadow, tracker, spillFile, memoryBytes } = reading
  const { pageSize } = codec
  const pages = new PageOverlay(pageSize, `${spillFile}-compared`, memoryBytes)
  let known = new Uint8Array(0)
  const target: CopyTarget = {
    take(first, bytes, isWanted) {
      if (known.length < bytes.length) known = new Uint8Array(bytes.length)
      const before = known.subarray(0, bytes.length)
      shadow.readRange(first, before)
      if (Buffer.compare(before, bytes) === 0) return
      for (let at = 0, no = first; at < bytes.length; at += pageSize, no++) {
        const page = bytes.subarray(at, at + pageSize)
        if (!isWanted(no) || isSame(before, page, at)) continue
        pages.set(no, page.slice())
      }
    },
    log(commit) {
      for (const no of commit.pages.numbers()) pages.set(no, commit.pages.get(no)!)
    },
  }
  try {
    const copied = copyDatabase(file, pageSize, tracker, target, reading.isStopped)
    if (typeof copied !== 'string') {
      const pageCount = copied.pageCount ?? pagesOf(file, codec, pages.get(1) ?? shadow.page(1))
      pages.dropBeyond(pageCount)
      return { pages, pageCount }
    }
  } catch (error) {
    pages.close()
    throw error
  }
  pages.close()
  return undefined
}

function isSame(before: Uint8Array, page: Uint8Array, at: number): boolean {
  return Buffer.compare(before.subarray(at, at + page.length), page) === 0
}

/** Pages of a database without a log. */
function pagesOf(file: OpenFile, codec: PageCodec, firstPage: Uint8Array): number {
  const header = parseDatabaseHeader({ file: file.path, bytes: codec.plain(1, firstPage), offset: 0 })
  return pageCountOf(header, file.sizeBytes)
}
