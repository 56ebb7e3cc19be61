/** What the thread that follows a journal is started with. */
export interface FollowJob {
  /** As `volumeNameOf` takes it. */
  readonly volume: string
  /** 1 ends it: set and notified. */
  readonly stop: Int32Array<SharedArrayBuffer>
}

/** Records from a position on are wanted: of the journal with this id, once there are some. */
export interface FollowRequest {
  readonly id: string
  readonly from: number
}

export type FollowReply =
  /** A reply of FSCTL_READ_USN_JOURNAL. */
  | { readonly reply: Uint8Array<ArrayBuffer> }
  /** The position cannot be continued: what there is now. */
  | { readonly now: JournalNowMessage }
  /** A call has failed for another reason: WindowsCallError, taken apart because its class is lost between threads. */
  | { readonly call: string; readonly windowsCode: number }
  /** CorruptFileError. */
  | {
      readonly corrupt: {
        readonly file: string
        readonly offset: number
        readonly expected: string
        readonly found: string
      }
    }
  | { readonly failure: unknown }

export type JournalNowMessage =
  | 'absent'
  | 'inactive'
  | { readonly id: string; readonly firstUsn: number; readonly lowestValidUsn: number; readonly size: number }
