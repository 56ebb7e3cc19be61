import type {
  ClockReply,
  ImportReply,
  ImportRequest,
  RescanReply,
  SearchReply,
  SearchRequest,
  StatusReply,
} from '@hotpath/protocol'

/**
 * What the commands need of a running system. Every call rejects with a HotpathError: UnavailableError if none runs.
 */
export interface IndexClient {
  search(request: SearchRequest): Promise<SearchReply>
  /** A clock that covers every change whose system call returned before the call. */
  clock(): Promise<ClockReply>
  status(): Promise<StatusReply>
  /** Empty `root`: every root. */
  rescan(root: string): Promise<RescanReply>
  importRoot(request: ImportRequest): Promise<ImportReply>
  close(): Promise<void>
}
