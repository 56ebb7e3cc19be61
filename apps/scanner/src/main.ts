import { runStage } from '@hotpath/service'
import { SCANNER_FLAGS, startScanner } from './compose.js'

await runStage({
  name: 'scanner',
  extraFlags: SCANNER_FLAGS,
  exclusive: ({ dump }) => !dump,
  start: context => startScanner(context, process.stdout),
})
