/** Names of sockets; `<name>.sock` in the runtime directory, or a port of its transport file. */
export const SOCKET_NAMES = [
  /** Scanner and watcher → store. */
  'store-ingest',
  /** Gateway and tools → store. */
  'store-query',
  /** Store publishes. */
  'store-events',
  'store-control',
  'scanner-control',
  'watcher-control',
  /** Gateway → watcher: changes of rows of followed databases. */
  'watcher-rows',
  /** Native clients → gateway. */
  'gateway',
  'gateway-events',
  'gateway-control',
  'supervisor-control',
] as const
export type SocketName = (typeof SOCKET_NAMES)[number]
