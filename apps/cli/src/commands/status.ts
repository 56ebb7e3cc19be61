import type { RootStatus, StatusReply } from '@hotpath/protocol'
import { escapeForTerminal } from '@hotpath/service'
import { type ClientFlags, type CommandContext, CommandExit, withClient } from '../context.js'
import { textOf } from '../output/hit.js'

export interface StatusFlags extends ClientFlags {
  readonly json?: boolean
}

/** `hotpath status`: what runs, what is indexed, and how fresh it is. */
export async function status(flags: StatusFlags, context: CommandContext): Promise<number> {
  return withClient(context, flags, async client => {
    const reply = await client.status()
    context.out.write(flags.json ? `${JSON.stringify(statusObject(reply), undefined, 2)}\n` : describeStatus(reply))
    return CommandExit.found
  })
}

function statusObject(reply: StatusReply) {
  const roots = reply.roots.map(root => ({
    ...root,
    fresh: freshObject(root.fresh),
    scan: root.scan && { ...root.scan, currentDirectory: textOf(root.scan.currentDirectory) },
  }))
  return { ...reply, fresh: freshObject(reply.fresh), roots }
}

function freshObject(fresh: StatusReply['fresh']) {
  return { ...fresh, dirtySubtrees: fresh.dirtySubtrees.map(textOf) }
}

const STORAGE_TEXT = {
  full: 'the disk is full: searches go on, changes are kept back until there is room',
  failed: 'the disk has failed: searches go on, changes are kept back until hotpath is started again',
} as const

/** The text for people; paths are escaped. */
export function describeStatus(reply: StatusReply): string {
  const { fresh, entries, segments, indexBytes, walBytes, storage, storageReason } = reply
  const perEntry = entries > 0 ? `, ${(indexBytes / entries).toFixed(1)} bytes each` : ''
  const lines = [
    `${count(entries)} entries in ${count(segments)} segments, ${megabytes(indexBytes)}${perEntry}, WAL ${megabytes(walBytes)}`,
    `${fresh.state}${reply.partial ? ', a part is missing' : ''}, ${Math.round(fresh.lagMs)} ms behind, ${count(fresh.dirty)} directories to read again`,
    ...fresh.dirtySubtrees.map(path => `  to be read again: ${escapeForTerminal(textOf(path))}`),
    ...(storage === 'writable' ? [] : [`${STORAGE_TEXT[storage]} (${escapeForTerminal(storageReason)})`]),
    ...reply.roots.map(describeRoot),
    ...reply.stages.map(
      stage =>
        `  ${stage.stage.padEnd(16)} ${stage.state.padEnd(9)} process ${stage.pid}, up ${Math.round(stage.uptimeMs / 1000)} s` +
        (Number.isNaN(stage.memoryBytes) ? '' : `, ${megabytes(stage.memoryBytes)} of memory`) +
        (stage.restarts > 0 ? `, ${stage.restarts} restarts` : ''),
    ),
  ]
  return `${lines.join('\n')}\n`
}

function describeRoot(status: RootStatus): string {
  const { root, entries, fresh, mechanism, partial, scan, reason, checked, wrong, repaired, losses } = status
  const parts = [`${count(entries)} entries`, `${fresh.state} (${mechanism})`]
  if (partial) parts.push('not complete')
  if (reason !== '') parts.push(escapeForTerminal(reason))
  if (scan !== undefined) {
    parts.push(`scanning: ${count(scan.entries)} entries, ${escapeForTerminal(textOf(scan.currentDirectory))}`)
  }
  if (checked > 0)
    parts.push(`${count(checked)} entries checked, ${count(wrong)} were wrong, ${count(repaired)} repaired`)
  if (losses > 0) parts.push(`events lost ${count(losses)} times`)
  return `  ${escapeForTerminal(root.path)}: ${parts.join(', ')}`
}

function count(value: number): string {
  return value.toLocaleString('en-US')
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}
