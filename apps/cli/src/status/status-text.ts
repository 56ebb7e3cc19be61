import type { DatabaseInfo, RootStatus, StatusReply } from '@hotpath/client'
import { escapeBytesForTerminal, escapeForTerminal } from '@hotpath/service'
import { formatBytes, formatCount } from '../output/figures.js'
import { REPORTED_STAGES, type StageReport } from '../stage-reports.js'
import { type CacheFigures, cachesOf, hitRate } from './caches.js'

/** Everything that is known of a system at one moment. */
export interface SystemStatus {
  /** Undefined where the index does not answer. */
  readonly index: StatusReply | undefined
  /** Why it does not. */
  readonly problem?: string
  /** That are followed. */
  readonly databases: readonly DatabaseInfo[]
  readonly stages: readonly StageReport[]
  /** Monotonic, milliseconds. */
  readonly atMs: number
}

const STORAGE_TEXT = {
  full: 'the disk is full: searches go on, changes are kept back until there is room',
  failed: 'the disk has failed: searches go on, changes are kept back until hotpath is started again',
} as const

/** Directories that are named where more are to be read again. */
const NAMED_DIRECTORIES = 3
const NAMED_MOUNTS = 4

/**
 * The text for people, a line each; with one root it has room on a screen of 80 × 24. Names are escaped.
 *
 * @param before an earlier status, for rates; without one they are averages since the stage was started
 */
export function describeStatus(status: SystemStatus, before?: SystemStatus): string[] {
  const { index, problem = '', databases, stages } = status
  return [
    ...(index === undefined ? [`the index does not answer: ${escapeForTerminal(problem)}`] : describeIndex(index)),
    ...databases.map(describeDatabase),
    ...(stages.length > 0 ? ['', ...describeStages(status)] : []),
    ...withHead('', [...describeCaches(stages), ...describeActivity(status, before)]),
  ]
}

function withHead(head: string, lines: readonly string[]): string[] {
  return lines.length > 0 ? [head, ...lines] : []
}

function describeIndex(reply: StatusReply): string[] {
  const { version, fresh, entries, segments, indexBytes, walBytes, storage, storageReason } = reply
  const perEntry = entries > 0 ? `, ${(indexBytes / entries).toFixed(1)} bytes each` : ''
  const behind = Number.isFinite(fresh.lagMs) ? `${formatCount(fresh.lagMs)} ms behind` : 'nobody knows how far behind'
  const named = fresh.dirtySubtrees.slice(0, NAMED_DIRECTORIES)
  return [
    `hotpath ${version}: ${fresh.state}${reply.partial ? ', a part is missing' : ''}, ${behind}, ${formatCount(fresh.dirty)} directories to read again`,
    ...named.map(path => `  to be read again: ${escapeBytesForTerminal(path)}`),
    `${formatCount(entries)} entries in ${formatCount(segments)} ${segments === 1 ? 'segment' : 'segments'}, ${formatBytes(indexBytes)}${perEntry}, log ${formatBytes(walBytes)}`,
    ...(storage === 'writable' ? [] : [`${STORAGE_TEXT[storage]} (${escapeForTerminal(storageReason)})`]),
    ...reply.roots.flatMap(describeRoot),
  ]
}

function describeDatabase(database: DatabaseInfo): string {
  const { name, path, state, reason, method, cursor, lagMs, subscribers } = database
  const parts = [`${state}${method === '' ? '' : ` (${escapeForTerminal(method)})`}`]
  if (reason !== '') parts.push(escapeForTerminal(reason))
  if (cursor !== undefined) parts.push(`transaction ${formatCount(cursor.sequence)}`)
  if (lagMs > 0) parts.push(`${formatCount(Math.round(lagMs))} ms behind`)
  if (subscribers > 0) parts.push(`${formatCount(subscribers)} ${subscribers === 1 ? 'subscriber' : 'subscribers'}`)
  const where = name === path ? '' : ` ${escapeForTerminal(path)}`
  return `  database ${escapeForTerminal(name)}${where}: ${parts.join(', ')}`
}

function describeRoot(status: RootStatus): string[] {
  const { root, entries, fresh, mechanism, partial, scan, reason, checked, wrong, repaired, losses, deltaRows } = status
  const parts = [`${formatCount(entries)} entries`, `${fresh.state} (${mechanism})`]
  if (deltaRows > 0) parts.push(`${formatCount(deltaRows)} changed in memory`)
  if (partial) parts.push('not complete')
  if (reason !== '') parts.push(escapeForTerminal(reason))
  const details: string[] = []
  if (scan !== undefined)
    details.push(`scanning: ${formatCount(scan.entries)} entries, ${escapeBytesForTerminal(scan.currentDirectory)}`)
  if (checked > 0)
    details.push(
      `${formatCount(checked)} entries checked, ${formatCount(wrong)} were wrong, ${formatCount(repaired)} repaired`,
    )
  if (losses > 0) details.push(`events lost ${formatCount(losses)} times`)
  return [
    `  ${escapeForTerminal(root.path)}: ${parts.join(', ')}`,
    ...details.map(text => `    ${text}`),
    ...describeMounts(status),
  ]
}

/** What is followed otherwise than the root as a whole is said to be, or of which there is something to say. */
function describeMounts({ mounts = [], mechanism }: RootStatus): string[] {
  const told = mounts.filter(mount => mount.mechanism !== mechanism || mount.reason !== '')
  const more = told.length - NAMED_MOUNTS
  return [
    ...told.slice(0, NAMED_MOUNTS).map(mount => {
      const why = mount.reason === '' ? '' : `: ${escapeForTerminal(mount.reason)}`
      return `    ${escapeBytesForTerminal(mount.path)} by ${mount.mechanism}${why}`
    }),
    ...(more > 0 ? [`    and ${formatCount(more)} more mounts`] : []),
  ]
}

/** Columns of the table of stages with their widths; together 76. */
const COLUMNS = [
  ['stage', 10],
  ['pid', 8],
  ['state', 10],
  ['up', 8],
  ['restarts', 9],
  ['resident', 9],
  ['heap', 7],
  ['other', 7],
  ['files', 7],
] as const

/** Resident memory is heap (objects of JavaScript), other memory of the process (arrays, code, stacks), and pages of files. */
function describeStages({ stages, index }: SystemStatus): string[] {
  const rows = REPORTED_STAGES.map(stage => {
    const report = stages.find(one => one.stage === stage)
    if (report === undefined) return [stage, '', 'away']
    const { pid, state, uptimeMs, metrics } = report
    const of = (name: string) =>
      metrics.find(metric => metric.name === `hotpath_process_${name}_bytes`)?.value ?? Number.NaN
    const [resident, anonymous, heap] = [of('resident'), of('anonymous'), of('heap_used')]
    const memory = [resident, heap, Math.max(0, anonymous - heap), resident - anonymous]
    const restarts = restartsOf(stage, stages) ?? index?.stages.find(one => one.stage === stage)?.restarts
    return [
      stage,
      String(pid),
      state,
      shortDuration(uptimeMs),
      restarts === undefined ? '' : formatCount(restarts),
      ...memory.map(megabytes),
    ]
  })
  // A system that does not follow changes has no watcher.
  const shown = rows.filter(([stage, pid]) => !(stage === 'watcher' && pid === ''))
  const problems = stages.flatMap(({ stage, checks }) =>
    checks.filter(({ ok }) => !ok).map(({ name, detail }) => `  ${stage}: ${escapeForTerminal(`${name}: ${detail}`)}`),
  )
  return [COLUMNS.map(([name]) => name), ...shown].map(tableRow).concat(problems)
}

function tableRow(cells: readonly string[]): string {
  return COLUMNS.map(([, width], i) => {
    const cell = cells[i] ?? ''
    // Words to the left, figures to the right.
    return i === 0 ? cell.padEnd(width) : i === 2 ? `  ${cell}`.padEnd(width) : cell.padStart(width)
  })
    .join('')
    .trimEnd()
}

/** What the supervisor calls a stage. */
const SUPERVISED: Readonly<Record<string, string>> = { watcher: 'journal-watcher', store: 'index-store' }

function restartsOf(stage: string, stages: readonly StageReport[]): number | undefined {
  const name = SUPERVISED[stage] ?? stage
  const supervisor = stages.find(one => one.stage === 'supervisor')
  return supervisor?.metrics.find(
    metric => metric.name === 'hotpath_stage_restarts_total' && metric.labels.some(({ value }) => value === name),
  )?.value
}

function describeCaches(stages: readonly StageReport[]): string[] {
  return stages.flatMap(({ stage, metrics }) => cachesOf(metrics).map(cache => describeCache(stage, cache)))
}

function describeCache(stage: string, cache: CacheFigures): string {
  const { name, hits = 0, misses = 0, entries, bytes } = cache
  const rate = hitRate(cache)
  const parts = [
    rate === undefined ? 'not used yet' : `${(rate * 100).toFixed(0)} % of ${formatCount(hits + misses)} found`,
    ...(entries === undefined ? [] : [`${formatCount(entries)} entries`]),
    ...(bytes === undefined ? [] : [formatBytes(bytes)]),
  ]
  return `cache of the ${stage}, ${escapeForTerminal(name)}: ${parts.join(', ')}`
}

/** Counters that tell how much goes on. */
const ACTIVITY = [
  ['store', 'hotpath_wal_records_total', 'batches of changes written'],
  ['watcher', 'hotpath_watch_present_total', 'entries seen to be there'],
  ['watcher', 'hotpath_watch_absent_total', 'entries seen to be gone'],
  ['store', 'hotpath_searches_total', 'searches'],
  ['store', 'hotpath_opens_total', 'opens'],
] as const

function describeActivity({ stages, atMs }: SystemStatus, before: SystemStatus | undefined): string[] {
  const told = ACTIVITY.flatMap(([stage, metric, what]) => {
    const report = stages.find(one => one.stage === stage)
    const value = metricOf(report, metric)
    if (report === undefined || value === undefined) return []
    const former = before?.stages.find(one => one.stage === stage && one.pid === report.pid)
    const then = metricOf(former, metric)
    const rate =
      before === undefined || then === undefined
        ? value / Math.max(1, report.uptimeMs / 1_000)
        : (value - then) / Math.max(0.001, (atMs - before.atMs) / 1_000)
    return [`${formatCount(value)} ${what} (${rate < 10 ? rate.toFixed(1) : formatCount(rate)}/s)`]
  })
  if (told.length === 0) return []
  const since = before === undefined ? 'since the start, on average' : 'since the start, and now'
  return [`${since}:`, ...told.map(text => `  ${text}`)]
}

function metricOf(report: StageReport | undefined, name: string): number | undefined {
  return report?.metrics.find(metric => metric.name === name)?.value
}

function megabytes(bytes: number): string {
  return Number.isFinite(bytes) ? `${(bytes / 1_048_576).toFixed(0)}M` : '?'
}

/** `12s`, `3m`, `2h05`, `4d3h`: at most six characters. */
function shortDuration(ms: number): string {
  const minutes = Math.floor(ms / 60_000)
  if (minutes < 1) return `${Math.floor(ms / 1_000)}s`
  const hours = Math.floor(minutes / 60)
  if (hours < 1) return `${minutes}m`
  return hours < 24 ? `${hours}h${String(minutes % 60).padStart(2, '0')}` : `${Math.floor(hours / 24)}d${hours % 24}h`
}
