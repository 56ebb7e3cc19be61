export { CancelledError, InvalidInputError, type RootSpec, UnavailableError } from '@hotpath/model'
export type {
  CaseMode,
  ClockReply,
  DatabaseInfo,
  DeliveredChange,
  DeliveredKey,
  DeliveredValue,
  Event,
  EventGap,
  Fresh,
  OmittedValue,
  RootStatus,
  RowsResetEvent,
  RowsResetReason,
  RowsRowsEvent,
  RowsStateEvent,
  RowsTransactionEvent,
  Sort,
  StatusReply,
} from '@hotpath/protocol'
export { PeerLostError, RefusedError, RemoteError } from '@hotpath/protocol'
export * from './client.js'
export type { FoundRow, FoundRows, RowSearchParams } from './found-rows.js'
export type { Hit, HitKind, HitRank, Instant } from './hit.js'
export { LiveChange } from './live-change.js'
export type { ResyncReason, Watch, WatchHandlers } from './live-watches.js'
export type { PlacedHit } from './page-change.js'
export { QueryError } from './query-error.js'
export { type ChangesEvent, type ChangesParams, RowChanges } from './row-changes.js'
export type { CallOptions, SearchParams, WatchParams } from './search-params.js'
export { SearchResult } from './search-result.js'
export { ended, isLockHeld, type StartFailure, type StartSystem } from './start-system.js'
