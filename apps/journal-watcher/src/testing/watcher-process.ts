import type { ChangeColumns, NodeRef } from '@hotpath/model'
import type { BarrierDone, WatchState } from '@hotpath/protocol'
import { silentLogger } from '@hotpath/service'
import { ChangeWatcher } from '../change-watcher.js'
import type { MechanismChoice } from '../follow-root.js'

/** To a process that watches one root. */
export type ToWatcher =
  | { readonly type: 'watch'; readonly path: string; readonly crossFileSystems: boolean }
  | { readonly type: 'barrier'; readonly id: number }
  | { readonly type: 'durable'; readonly source: string; readonly sequence: number }
  | { readonly type: 'list'; readonly path: Uint8Array; readonly ref: NodeRef; readonly since: number }

export type FromWatcher =
  | { readonly type: 'state'; readonly state: WatchState }
  | { readonly type: 'changes'; readonly source: string; readonly sequence: number; readonly changes: ChangeColumns }
  | ({ readonly type: 'barrierDone' } & Pick<BarrierDone, 'id' | 'unwatchedRoots'>)

const ROOT = 'root'

/** A watcher as a process, to be killed: `watcher-process.js SOURCE MECHANISM DATA_DIR [FANOTIFY_FD [JOURNAL_FD]]`. */
const [source, mechanism, dataDir, fanotifyFd, journalFd] = process.argv.slice(2)
const tell = (message: FromWatcher) => void process.send?.(message)
const sequences = new Map<string, number>()
const watcher = new ChangeWatcher({
  sink: {
    hasRoom: true,
    changes: (_root, of, changes) => {
      const sequence = (sequences.get(of) ?? 0) + 1
      sequences.set(of, sequence)
      tell({ type: 'changes', source: of, sequence, changes })
    },
    lastSequence: of => sequences.get(of) ?? 0,
    report: () => {},
    state: state => tell({ type: 'state', state }),
    barrierDone: done => tell({ type: 'barrierDone', ...done }),
  },
  source: source!,
  dataDir: dataDir!,
  excludes: [],
  crossDevices: false,
  mechanism: mechanism as MechanismChoice,
  fanotifyFd: fanotifyFd === undefined ? undefined : Number(fanotifyFd),
  journalFd: journalFd === undefined ? undefined : Number(journalFd),
  log: silentLogger,
})

process.on('message', (message: ToWatcher) => {
  if (message.type === 'watch')
    watcher.watch(
      { id: ROOT, kind: 'tree', path: message.path },
      { excludes: [], crossFileSystems: message.crossFileSystems, threads: 0, namesOnly: false },
    )
  else if (message.type === 'barrier') watcher.barrier(message.id)
  else if (message.type === 'durable') watcher.durable(ROOT, message.source, message.sequence)
  else watcher.list(ROOT, message.path, message.ref, message.since, true)
})
process.on('disconnect', () => watcher.stop())
