import { runStage } from '@hotpath/service'
// Loaded on the main thread before any worker starts: a worker that unloads it as the last one may crash the process.
import 'roaring'
import { startIndexStore } from './compose.js'

await runStage({ name: 'index-store', start: startIndexStore })
