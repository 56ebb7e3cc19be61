import { parseFlags, resolveConfig } from '@hotpath/service'
import { expect, test } from 'vitest'
import { stageGroups, type WatcherInheritance } from './stages.js'

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
  const { arguments: flags, inheritedFds } = watcher!
  return { flags: flags.filter(flag => flag.includes('-fd=')), inheritedFds }
}

test('the watcher inherits the fanotify group and the memory of its events, and is told where', async () => {
  expect(await watcherOf({ fanotifyFd: 17, journalFd: 19 })).toEqual({
    flags: ['--fanotify-fd=3', '--event-journal-fd=4'],
    inheritedFds: [17, 19],
  })
  expect(await watcherOf(undefined)).toEqual({ flags: [], inheritedFds: undefined })
})
