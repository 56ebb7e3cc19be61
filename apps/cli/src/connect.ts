import { connect } from '@hotpath/client'
import type { Config } from '@hotpath/service'
import type { IndexClient } from './index-client.js'

/** A running gateway answers within milliseconds; a file that a dead one left must not make a person wait for long. */
const CONNECT_TIMEOUT_MS = 3_000

/** A connection to the gateway of the system that runs for this data directory. Rejects with UnavailableError if none does. */
export function connectIndex(config: Config): Promise<IndexClient> {
  return connect({ dataDir: config.dataDir, timeoutMs: CONNECT_TIMEOUT_MS })
}
