import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLogger } from '@hotpath/service'
import { ChangeWatcher } from '../change-watcher.js'

/** Why file systems cannot be marked for the directory of temporary files here; empty if they can. */
export function fanotifyProblem(): string {
  const directory = mkdtempSync(join(tmpdir(), 'journal-watcher-'))
  let problem = ''
  const watcher = new ChangeWatcher({
    sink: {
      hasRoom: true,
      changes: () => {},
      state: ({ state, reason }) => {
        if (state !== 'armed') problem = reason
      },
      report: () => {},
      barrierDone: () => {},
    },
    source: 'probe',
    dataDir: join(directory, 'data'),
    excludes: [],
    crossDevices: false,
    mechanism: 'fanotify',
    log: silentLogger,
  })
  watcher.watch(
    { id: 'probe', kind: 'tree', path: directory },
    { excludes: [], crossFileSystems: false, threads: 0, namesOnly: false },
  )
  watcher.stop()
  rmSync(directory, { recursive: true })
  return problem
}
