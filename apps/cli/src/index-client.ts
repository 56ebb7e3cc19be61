import type { Client } from '@hotpath/client'

/** What the commands need of a running system. */
export type IndexClient = Pick<
  Client,
  | 'search'
  | 'live'
  | 'clock'
  | 'status'
  | 'rescan'
  | 'recordOpen'
  | 'forgetOpens'
  | 'importList'
  | 'changes'
  | 'searchRows'
  | 'databases'
  | 'close'
>
