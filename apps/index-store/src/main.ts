import { runStage } from '@hotpath/service'
import { startIndexStore } from './compose.js'

await runStage({ name: 'index-store', start: startIndexStore })
