import { runStage } from '@hotpath/service'
import { startGateway } from './compose.js'
import { desktopOf } from './desktop/desktop.js'
import { VERSION } from './version.js'

await runStage({
  name: 'gateway',
  start: ({ config, endpoints, identity, tap, log }) =>
    startGateway({
      dataDir: config.dataDir,
      port: config.port,
      openRead: config.openRead,
      desktop: config.launch ? desktopOf(process.env) : undefined,
      download: config.download,
      usersListen: config.usersListen,
      endpoints,
      identity,
      version: VERSION,
      tap,
      log,
    }),
})
