import {
  type ChangeBatch,
  type ChangeColumns,
  InvalidInputError,
  type JournalPosition,
  Op,
  ROOT_KINDS,
  type RootSpec,
  unpairedBound,
} from '@hotpath/model'
import { bytesOf, f64Column, offsetsColumn, plain, u8Column, u32Column } from '../columns.js'
import {
  MAX_DIRTY_SUBTREES,
  MAX_EXCLUDES,
  MAX_FOLLOWED_MOUNTS,
  MAX_ID_BYTES,
  MAX_PATH_BYTES,
  MAX_PROBLEMS,
  MAX_ROOTS,
} from '../limits.js'
import type * as ingest from '../messages/ingest.js'
import type { hotpath } from '../wire.js'
import {
  checkObserved,
  checkRows,
  entryColumns,
  refList,
  refsFromWire,
  refsToWire,
  timesFromWire,
  timesToWire,
} from './columns.js'
import {
  bytes,
  count,
  countOrUnknown,
  type FieldCodec,
  flag,
  instant,
  list,
  message,
  optional,
  prose,
  required,
  text,
  u32,
  word,
} from './field.js'

const NONE = new Uint8Array(0)
const PROBLEM_BYTES = 512
const id = text(MAX_ID_BYTES)
const path = bytes(MAX_PATH_BYTES)

export const rootKind = word([undefined, ...ROOT_KINDS])

export const root = required(
  message<RootSpec, hotpath.v1.Root.$Properties>({ id, kind: rootKind, path: text(MAX_PATH_BYTES) }),
)

const journal = message<JournalPosition, hotpath.v1.JournalPosition.$Properties>({ id, next: count })

export const scanBegin = message<ingest.ScanBegin, hotpath.v1.ScanBegin.$Properties>({
  root,
  volume: id,
  prefix: path,
  epoch: count,
  bootId: id,
  source: id,
  journal: optional(journal),
})

export const scanAccepted = message<ingest.ScanAccepted, hotpath.v1.ScanAccepted.$Properties>({
  epoch: count,
  credit: u32(),
})

const entryBatchHead = message<
  Pick<ingest.EntryBatch, 'epoch' | 'sequence' | 'entries'>,
  hotpath.v1.EntryBatch.$Properties
>({ epoch: count, sequence: count, entries: entryColumns })

export const entryBatch: FieldCodec<ingest.EntryBatch, hotpath.v1.EntryBatch.$Properties> = {
  toWire: (value, what) => ({
    ...entryBatchHead.toWire(value, what),
    listedDirectory: bytesOf(value.listedDirectory),
    listedObserved: bytesOf(value.listedObserved),
  }),
  fromWire(value, what) {
    const bytes = value?.listedDirectory ?? NONE
    const rows = checkRows(Math.floor(bytes.byteLength / 4), `${what}.listedDirectory`)
    const observed = `${what}.listedObserved`
    return {
      ...entryBatchHead.fromWire(value, what),
      listedDirectory: u32Column(bytes, rows, `${what}.listedDirectory`),
      listedObserved: checkObserved(f64Column(value?.listedObserved ?? NONE, rows, observed), observed),
    }
  },
}

export const scanProgress = message<ingest.ScanProgress, hotpath.v1.ScanProgress.$Properties>({
  root: id,
  epoch: count,
  entries: count,
  directories: count,
  errors: count,
  currentDirectory: path,
  knownTotal: countOrUnknown,
})

const scanProblem = message<ingest.ScanProblem, hotpath.v1.ScanProblem.$Properties>({
  line: count,
  path,
  message: prose(PROBLEM_BYTES),
})

export const scanEnd = message<ingest.ScanEnd, hotpath.v1.ScanEnd.$Properties>({
  root: id,
  epoch: count,
  entries: count,
  skipped: count,
  state: word([undefined, 'complete', 'aborted']),
  lastSequence: count,
  problems: list(scanProblem, MAX_PROBLEMS),
})

const changeBatchHead = message<Omit<ChangeBatch, 'changes'>, hotpath.v1.ChangeBatch.$Properties>({
  root: id,
  source: id,
  sequence: count,
  bootId: id,
})

function checkOps(ops: Uint8Array, what: string): Uint8Array {
  for (let i = 0; i < ops.length; i++) {
    if (ops[i]! > Op.named) throw new InvalidInputError(what, `an operation in row ${i}`, String(ops[i]))
  }
  return ops
}

/** A bound alone would say nothing, or something else than was meant. */
function checkBounds(changes: ChangeColumns, what: string): ChangeColumns {
  const row = unpairedBound(changes)
  if (row >= 0) throw new InvalidInputError(what, 'both bounds of a part of a listing', `one in row ${row}`)
  return changes
}

export const changeBatch: FieldCodec<ChangeBatch, hotpath.v1.ChangeBatch.$Properties> = {
  toWire: (value, what) => ({
    ...changeBatchHead.toWire(value, what),
    op: bytesOf(value.changes.op),
    parentRef: refsToWire(value.changes.parentRef),
    entries: entryColumns.toWire(value.changes.entries, `${what}.entries`) ?? null,
    observed: bytesOf(value.changes.observed),
  }),
  fromWire(value, what) {
    const entries = entryColumns.fromWire(value?.entries, `${what}.entries`)
    const rows = entries.count
    return {
      ...changeBatchHead.fromWire(value, what),
      changes: checkBounds(
        {
          op: checkOps(u8Column(value?.op ?? NONE, rows, `${what}.op`), `${what}.op`),
          parentRef: refsFromWire(value?.parentRef, rows, `${what}.parentRef`),
          entries,
          observed: checkObserved(f64Column(value?.observed ?? NONE, rows, `${what}.observed`), `${what}.observed`),
        },
        `${what}.op`,
      ),
    }
  },
}

export const ack = message<ingest.Ack, hotpath.v1.Ack.$Properties>({
  epoch: count,
  source: id,
  receivedSequence: count,
  durableSequence: count,
  credit: u32(),
  active: flag,
  root: id,
  listRequests: optional(refList),
})

const scanOptions = message<ingest.ScanOptions, hotpath.v1.ScanOptions.$Properties>({
  excludes: list(text(MAX_PATH_BYTES), MAX_EXCLUDES),
  crossFileSystems: flag,
  threads: u32(1024),
  namesOnly: flag,
  streams: optional(flag),
  idle: optional(flag),
  access: optional(flag),
})

export const scanCommand = message<ingest.ScanCommand, hotpath.v1.ScanCommand.$Properties>({
  root,
  epoch: count,
  options: scanOptions,
})

export const cancelScan = message<ingest.CancelScan, hotpath.v1.CancelScan.$Properties>({ root: id, epoch: count })

export const barrier = message<ingest.Barrier, hotpath.v1.Barrier.$Properties>({ id: count })

export const barrierDone = message<ingest.BarrierDone, hotpath.v1.BarrierDone.$Properties>({
  id: count,
  source: id,
  sequence: count,
  unwatchedRoots: list(id, MAX_ROOTS),
})

export const watchCommand = message<ingest.WatchCommand, hotpath.v1.WatchCommand.$Properties>({
  root,
  options: scanOptions,
  journal: optional(journal),
})

export const unwatchCommand = message<ingest.UnwatchCommand, hotpath.v1.UnwatchCommand.$Properties>({ root: id })

export const mechanism = word(['none', 'none', 'fanotify', 'inotify', 'polling', 'journal'], 'none')

const followedMount = message<ingest.FollowedMount, hotpath.v1.FollowedMount.$Properties>({
  path,
  mechanism,
  reason: prose(PROBLEM_BYTES),
})

/** Nothing and an empty list are the same. */
export const followedMounts: FieldCodec<
  readonly ingest.FollowedMount[] | undefined,
  hotpath.v1.FollowedMount.$Properties[]
> = {
  toWire: (mounts, what) => (mounts === undefined ? undefined : mountList.toWire(mounts, what)),
  fromWire: (mounts, what) => (mounts == null || mounts.length === 0 ? undefined : mountList.fromWire(mounts, what)),
}
const mountList = list(followedMount, MAX_FOLLOWED_MOUNTS)

export const watchState = message<ingest.WatchState, hotpath.v1.WatchState.$Properties>({
  root: id,
  source: id,
  state: word([undefined, 'armed', 'unwatched', 'lost']),
  mechanism,
  reason: prose(PROBLEM_BYTES),
  term: count,
  continuesSource: id,
  continuesTerm: count,
  wholeUntil: instant,
  journal: optional(journal),
  mounts: followedMounts,
})

export const journalReached = message<ingest.JournalReached, hotpath.v1.JournalReached.$Properties>({
  root: id,
  from: count,
  journal: required(journal),
})

export const watchReport = message<ingest.WatchReport, hotpath.v1.WatchReport.$Properties>({
  root: id,
  oldest: instant,
  waiting: count,
  directories: list(path, MAX_DIRTY_SUBTREES),
})

export const checkCommand = message<ingest.CheckCommand, hotpath.v1.CheckCommand.$Properties>({
  root,
  check: count,
  mode: word([undefined, 'directories', 'full']),
  options: scanOptions,
  background: flag,
  entriesPerSecond: u32(),
  after: path,
})

const checkBatchHead = message<Pick<ingest.CheckBatch, 'check' | 'sequence'>, hotpath.v1.CheckBatch.$Properties>({
  check: count,
  sequence: count,
})

function digestColumns(value: Pick<ingest.CheckBatch, 'children' | 'digestLow' | 'digestHigh'>) {
  const { children, digestLow, digestHigh } = value
  return children && digestLow && digestHigh
    ? { children: bytesOf(children), digestLow: bytesOf(digestLow), digestHigh: bytesOf(digestHigh) }
    : {}
}

export const checkBatch: FieldCodec<ingest.CheckBatch, hotpath.v1.CheckBatch.$Properties> = {
  toWire: (value, what) => ({
    ...checkBatchHead.toWire(value, what),
    refs: refsToWire(value.refs),
    modified: timesToWire(value.modified),
    changed: timesToWire(value.changed),
    observed: bytesOf(value.observed),
    ...digestColumns(value),
    pathOffsets: bytesOf(value.pathOffsets),
    paths: value.paths,
  }),
  fromWire(value, what) {
    const bytes = value?.pathOffsets ?? NONE
    const rows = checkRows(Math.floor(bytes.byteLength / 4) - 1, `${what}.pathOffsets`)
    const paths = plain(value?.paths ?? NONE)
    const hasDigests = value?.children != null
    return {
      ...checkBatchHead.fromWire(value, what),
      refs: refsFromWire(value?.refs, rows, `${what}.refs`),
      modified: timesFromWire(value?.modified ?? {}, rows, `${what}.modified`),
      changed: timesFromWire(value?.changed ?? {}, rows, `${what}.changed`),
      observed: checkObserved(f64Column(value?.observed ?? NONE, rows, `${what}.observed`), `${what}.observed`),
      ...(hasDigests && {
        children: u32Column(value.children ?? NONE, rows, `${what}.children`),
        digestLow: u32Column(value.digestLow ?? NONE, rows, `${what}.digestLow`),
        digestHigh: u32Column(value.digestHigh ?? NONE, rows, `${what}.digestHigh`),
      }),
      pathOffsets: offsetsColumn(bytes, rows, paths.byteLength, `${what}.pathOffsets`),
      paths,
    }
  },
}

export const checkEnd = message<ingest.CheckEnd, hotpath.v1.CheckEnd.$Properties>({
  root: id,
  check: count,
  state: word([undefined, 'complete', 'aborted']),
  directories: count,
  entries: count,
  skipped: count,
  lastSequence: count,
})

export const cancelCheck = message<ingest.CancelCheck, hotpath.v1.CancelCheck.$Properties>({ root: id, check: count })

export const listCommand: FieldCodec<ingest.ListCommand, hotpath.v1.ListCommand.$Properties> = {
  toWire: (value, what) => ({
    root: id.toWire(value.root, `${what}.root`) ?? null,
    pathOffsets: bytesOf(value.pathOffsets),
    paths: value.paths,
    refs: refsToWire(value.refs),
  }),
  fromWire(value, what) {
    const bytes = value?.pathOffsets ?? NONE
    const rows = checkRows(Math.floor(bytes.byteLength / 4) - 1, `${what}.pathOffsets`)
    const paths = plain(value?.paths ?? NONE)
    return {
      root: id.fromWire(value?.root, `${what}.root`),
      pathOffsets: offsetsColumn(bytes, rows, paths.byteLength, `${what}.pathOffsets`),
      paths,
      refs: refsFromWire(value?.refs, rows, `${what}.refs`),
    }
  },
}
