import type { JournalPosition, RootSpec } from '@hotpath/model'
import type { CheckCommand, ListCommand, Peer, ScanOptions } from '@hotpath/protocol'

/** How the store talks to scanners and watchers. */
export interface Sources {
  /** Connected scanners and watchers. */
  scanners(): Peer[]
  watchers(): Peer[]
  commandScan(peer: Peer, root: RootSpec, epoch: number, options: ScanOptions): void
  cancelScan(peer: Peer, root: string, epoch: number): void
  commandCheck(peer: Peer, command: CheckCommand): void
  cancelCheck(peer: Peer, root: string, check: number): void
  /** @param journal up to where the index knows the change journal of a volume */
  commandWatch(peer: Peer, root: RootSpec, options: ScanOptions, journal?: JournalPosition): void
  commandUnwatch(peer: Peer, root: string): void
  commandList(peer: Peer, command: ListCommand): void
  /** Resolves when all that a watcher was asked for, and that had happened, is in the index; to false if it is not. */
  passBarrier(peer: Peer, root: string): Promise<boolean>
}
