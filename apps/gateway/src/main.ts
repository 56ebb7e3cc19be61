import { runStage } from '@hotpath/service'
import { startGateway } from './compose.js'
import { VERSION } from './version.js'

await runStage({
  name: 'gateway',
  start: ({ config, endpoints, identity, tap, log }) =>
    startGateway({
      dataDir: config.dataDir,
      port: config.port,
      openRead: config.openRead,
      endpoints,
      identity,
      version: VERSION,
      tap,
      log,
    }),
})
