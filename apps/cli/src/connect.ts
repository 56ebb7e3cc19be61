import { randomBytes } from 'node:crypto'
import { UnavailableError } from '@hotpath/model'
import { DealerPeer, readEndpointsFile } from '@hotpath/protocol'
import type { Config } from '@hotpath/service'
import type { IndexClient } from './index-client.js'

/**
 * A connection to the gateway of the system that runs for this data directory. Throws UnavailableError if none does.
 */
export function connectIndex(config: Config): IndexClient {
  const endpoint = readEndpointsFile(config.dataDir).sockets.gateway
  if (endpoint === undefined) throw new UnavailableError(`no gateway runs for ${JSON.stringify(config.dataDir)}`)
  const instance = `cli-${randomBytes(8).toString('hex')}`
  const peer = new DealerPeer({
    endpoint,
    identity: { stage: 'client', instance, pid: process.pid },
    expects: 'gateway',
  })
  peer.start()
  return {
    search: request => peer.request('searchRequest', request),
    clock: () => peer.request('clockRequest', {}),
    status: () => peer.request('statusRequest', {}),
    rescan: root => peer.request('rescanRequest', { root }),
    importRoot: request => peer.request('importRequest', request),
    close: () => peer.stop(),
  }
}
