import { runStage } from '@hotpath/service'
import { startJournalWatcher, WATCHER_FLAGS } from './compose.js'

await runStage({
  name: 'journal-watcher',
  extraFlags: WATCHER_FLAGS,
  exclusive: ({ dump }) => !dump,
  start: context => startJournalWatcher(context, process.stdout),
})
