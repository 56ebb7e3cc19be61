import type { Hit as ClientHit } from '@hotpath/client'
import { escapeBytesForTerminal } from '@hotpath/service'
import { hitObject } from './hit-format.js'
import { safeJson } from './safe-json.js'

/** What became of a hit; `hit`: it was there when the watch began. */
export type ChangeKind = 'hit' | 'added' | 'removed' | 'changed'

/** One line (or what ends with a NUL) for a hit, written as it is. */
export type WatchFormat = (kind: ChangeKind, hit: ClientHit) => string | Uint8Array

const SIGNS: Readonly<Record<ChangeKind, string>> = { hit: '', added: '+ ', removed: '- ', changed: '~ ' }

export function watchFormat(flags: {
  readonly isTerminal: boolean
  readonly ndjson?: boolean | undefined
  readonly print0?: boolean | undefined
}): WatchFormat {
  if (flags.ndjson) return (kind, hit) => `${safeJson({ change: kind, ...hitObject(columnHit(hit)) })}\n`
  if (flags.print0) return (kind, { pathBytes }) => Buffer.concat([Buffer.from(SIGNS[kind]), pathBytes, Buffer.of(0)])
  if (flags.isTerminal) return (kind, { pathBytes }) => `${SIGNS[kind]}${escapeBytesForTerminal(pathBytes)}\n`
  return (kind, { pathBytes }) => Buffer.concat([Buffer.from(SIGNS[kind]), pathBytes, Buffer.of(0x0a)])
}

/** A hit of the client as the rows of a page are printed. */
function columnHit(hit: ClientHit) {
  return {
    id: Buffer.from(hit.id, 'base64url'),
    path: hit.pathBytes,
    nameStart: hit.nameStart,
    type: hit.kind,
    size: hit.sizeBytes,
    modified: hit.modified,
    created: hit.created,
    accessed: hit.accessed,
    hot: hit.hot,
    opens: hit.opens,
    opened: hit.opened,
    fuzzy: hit.fuzzy ?? false,
  }
}
