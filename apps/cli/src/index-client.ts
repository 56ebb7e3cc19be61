import type { Client } from '@hotpath/client'

/** What the commands need of a running system. */
export type IndexClient = Pick<
  Client,
  'search' | 'watch' | 'clock' | 'status' | 'rescan' | 'recordOpen' | 'forgetOpens' | 'importList' | 'close'
>
