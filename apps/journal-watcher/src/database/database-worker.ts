import { mkdirSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { workerData } from 'node:worker_threads'
import { CancelledError } from '@hotpath/model'
import { giveWayOnWaking, InputWait } from '@hotpath/platform'
import { DatabaseFollower } from './database-follower.js'
import { sleep } from './file-copy.js'
import { FrozenRows } from './row-pages.js'
import { Shadow } from './shadow.js'
import { loadSqlite } from './table-shapes.js'
import { ThreadHost } from './thread-host.js'
import type { DatabaseThreadData, Request } from './thread-messages.js'

/** Shorter waits are slept through: what they wait for raises no event. */
const LEAST_POLLED_MS = 1

await run(workerData as DatabaseThreadData)

/** Follows a database until it is told to stop. Sleeps in poll(2): where nothing happens it costs nothing. */
async function run(data: DatabaseThreadData): Promise<void> {
  // It is woken by what a writer does in the midst of his transaction: his commits took twice as long where it took the processor from him.
  giveWayOnWaking()
  const host = new ThreadHost(data)
  const sqlite = await loadSqlite()
  mkdirSync(data.directory, { recursive: true, mode: 0o700 })
  const input = new InputWait(data.bell)
  const shadow = new Shadow(join(data.directory, 'shadow'), data.boot)
  const follower = new DatabaseFollower({
    path: followedPath(data.path),
    tables: data.tables,
    audit: data.audit,
    text: data.text,
    key: host.key,
    shadow,
    spillFile: join(data.directory, 'spilled'),
    sqlite,
    input,
    host,
  })
  const frozen = new Map<number, FrozenRows>()
  const answer = (request: Request): void => {
    switch (request.type) {
      case 'freeze': {
        const rows = FrozenRows.of(follower, shadow, request.tables)
        if (rows !== undefined) frozen.set(request.id, rows)
        break
      }
      case 'read':
        host.post({ type: 'rows', id: request.id, ...readRows(frozen.get(request.id)) })
        break
      case 'thaw':
        frozen.get(request.id)?.close()
        frozen.delete(request.id)
        break
      case 'stop':
        break
    }
  }
  try {
    while (!host.isStopping) {
      const waitMs = await follower.step()
      input.takeBell()
      const requests = host.requests()
      for (const request of requests) answer(request)
      if (host.isStopping || requests.length > 0) continue
      if (waitMs < LEAST_POLLED_MS) sleep(waitMs)
      // A writer who wakes nobody is not held up.
      else if (follower.looks) input.waitForBell(Math.ceil(waitMs))
      else input.wait(Math.ceil(waitMs))
    }
    follower.close()
  } catch (error) {
    if (!host.isStopping || !(error instanceof CancelledError)) throw error
    follower.close()
  } finally {
    input.close()
    data.port.close()
  }
}

/** SQLite keeps a log beside the file that a link leads to. */
function followedPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}

function readRows(rows: FrozenRows | undefined) {
  if (rows === undefined) return { problem: 'nothing of it can be read now' }
  try {
    const page = rows.next()
    return page === undefined ? {} : { page }
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) }
  }
}
