import { fstatSync } from 'node:fs'
import type { Writable } from 'node:stream'
import { InvalidInputError } from '@hotpath/model'
import type { RunningStage, StageContext } from '@hotpath/service'
import { FollowedDatabases } from './database/followed-databases.js'
import { MECHANISMS, type MechanismChoice } from './follow-root.js'
import { RowsServer } from './rows/rows-server.js'
import { dumpChanges } from './session/dump.js'
import { WatcherSession } from './session/watcher-session.js'

/** Flags that only the journal watcher has. */
export const WATCHER_FLAGS = {
  dump: { type: 'boolean', help: 'print what is observed in each root, until it is stopped; needs no store' },
  mechanism: {
    type: 'string',
    valueName: 'NAME',
    help: `how changes are followed: ${MECHANISMS.join(', ')} (default: auto)`,
  },
  'fanotify-fd': { type: 'string', valueName: 'N', help: 'descriptor of an inherited fanotify group' },
  'event-journal-fd': {
    type: 'string',
    valueName: 'N',
    help: 'descriptor of inherited memory for the events of that group: a watcher goes on where the one before it ended',
  },
  'marks-fd': {
    type: 'string',
    valueName: 'N',
    help: 'descriptor of a socket to who marks file systems in that group, where the watcher may not',
  },
} as const
export type WatcherFlags = typeof WATCHER_FLAGS

/** Starts the journal watcher as a stage, or a dump. Throws InvalidInputError for flags that cannot be. */
export async function startJournalWatcher(context: StageContext<WatcherFlags>, out: Writable): Promise<RunningStage> {
  const { config, endpoints, identity, log, tap, extra } = context
  const options = {
    dataDir: config.dataDir,
    excludes: config.excludes,
    crossDevices: config.crossDevices,
    mechanism: mechanismOf(extra.mechanism),
    fanotifyFd: descriptorOf('--fanotify-fd', extra['fanotify-fd']),
    journalFd: descriptorOf('--event-journal-fd', extra['event-journal-fd']),
    marksFd: descriptorOf('--marks-fd', extra['marks-fd']),
    log,
  }
  if (extra.dump) {
    const end = dumpChanges(config.roots, options, out)
    // Whoever read has seen enough (`| head`).
    const finished = new Promise<void>(resolve => out.once('close', resolve))
    return { finished, stop: async () => end() }
  }
  const session = new WatcherSession({ ...options, endpoint: endpoints['store-ingest'], identity, tap })
  const databases = new FollowedDatabases({
    settings: config.databases,
    dataDir: config.dataDir,
    log: log.child('journal-watcher.databases'),
  })
  const rows = new RowsServer({
    endpoint: endpoints['watcher-rows'],
    identity,
    databases,
    tap,
    log: log.child('journal-watcher.rows'),
  })
  // Before those who ask for them: what is resumed for nobody has its end.
  databases.start()
  await rows.start()
  session.start()
  return {
    stop: async () => {
      await rows.stop()
      await Promise.all([session.stop(), databases.stop()])
    },
    health: () => [...session.health(), ...databases.health()],
    stats: () => [...session.stats(), ...rows.stats(), ...databases.stats()],
  }
}

function mechanismOf(text: string | undefined): MechanismChoice {
  const found = MECHANISMS.find(name => name === (text ?? 'auto'))
  if (found === undefined) throw new InvalidInputError('--mechanism', MECHANISMS.join(', '), JSON.stringify(text))
  return found
}

function descriptorOf(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const fd = /^\d{1,6}$/.test(text) ? Number(text) : -1
  try {
    fstatSync(fd)
  } catch {
    throw new InvalidInputError(flag, 'the number of an open descriptor', JSON.stringify(text))
  }
  return fd
}
