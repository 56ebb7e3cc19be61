/** What a process is. */
export type Stage = 'scanner' | 'watcher' | 'store' | 'gateway' | 'client' | 'supervisor'

/** Who speaks. `instance` is fresh for each start of a process. */
export interface Identity {
  readonly stage: Stage
  readonly instance: string
  readonly pid: number
}

export interface Hello extends Identity {
  readonly protocolVersion: number
  /** Tells the sockets of one process apart; the same over reconnections. */
  readonly connection: number
}

export interface Welcome extends Identity {
  readonly protocolVersion: number
  /** Both sides ping after this much silence. */
  readonly heartbeatMs: number
  /** A peer that is silent for so long is taken for dead. */
  readonly lostMs: number
  readonly maxMessageBytes: number
}

export type RefusalCode = 'version' | 'notGreeted' | 'malformed' | 'stage' | 'full'

export interface Refused {
  readonly code: RefusalCode
  readonly message: string
  readonly supportedVersion: number
}

/** Answer to a request that failed; `code` is that of the HotpathError. */
export interface ErrorReply {
  readonly code: string
  readonly message: string
  readonly what: string
  readonly expected: string
  readonly found: string
}

/** Piece of an encoded reply that is larger than one message may be. */
export interface Fragment {
  readonly index: number
  readonly totalBytes: number
  readonly data: Uint8Array
}

/** The asker of `requestId` does not want the answer any more. */
export interface Cancel {
  readonly requestId: number
  /** Only this search of a batch (1, 2 …); missing: all of the request. */
  readonly search?: number | undefined
}

export interface Bye {
  readonly reason: string
}

/** A message without content. */
export type Empty = Readonly<Record<never, never>>
