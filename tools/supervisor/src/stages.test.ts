import { PassThrough } from 'node:stream'
import { parseFlags, resolveConfig } from '@hotpath/service'
import { expect, test } from 'vitest'
import { stageGroups, type WatcherInheritance, type WatcherMarks } from './stages.js'

async function watcherOf(inheritance: WatcherInheritance | undefined) {
  const { texts, problems, configFile } = parseFlags([], {})
  const { config } = await resolveConfig({
    flags: texts,
    problems,
    configFile,
    environment: {},
    homeDirectory: '/home/x',
  })
  const watcher = stageGroups(config, inheritance)
    .flat()
    .find(({ name }) => name === 'journal-watcher')
  const { arguments: flags, inheritedFds, prepare, connect } = watcher!
  return { flags: flags.filter(flag => flag.includes('-fd=')), inheritedFds, prepare, connect }
}

test('the watcher inherits the fanotify group and the memory of its events, and is told where', async () => {
  expect(await watcherOf({ fanotifyFd: 17, journalFd: 19 })).toEqual({
    flags: ['--fanotify-fd=3', '--event-journal-fd=4'],
    inheritedFds: [17, 19],
  })
  expect(await watcherOf(undefined)).toEqual({ flags: [] })
})

test('a watcher that may not mark is started when all is marked, with a socket to ask for more', async () => {
  const done: unknown[] = []
  const marks: WatcherMarks = {
    prepare: async () => void done.push('marked'),
    serve: requests => void done.push(requests),
  }
  const { flags, inheritedFds, prepare, connect } = await watcherOf({ fanotifyFd: 17, journalFd: 19, marks })
  expect(flags).toEqual(['--fanotify-fd=3', '--event-journal-fd=4', '--marks-fd=5'])
  expect(inheritedFds).toEqual([17, 19])
  const requests = new PassThrough()
  await prepare!()
  connect!(requests)
  expect(done).toEqual(['marked', requests])
})
