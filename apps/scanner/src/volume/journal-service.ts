import { CorruptFileError } from '@hotpath/model'
import { continuationOf } from '@hotpath/ntfs'
import { kernel32, type VolumeCalls, VolumeHandle, volumeNameOf, WindowsCallError } from '@hotpath/platform'
import { HandleJournal, isJournalChange } from './handle-journal.js'
import type { FollowJob, FollowReply, FollowRequest, JournalNowMessage } from './journal-messages.js'

/** While nothing comes, a look follows the last one after twice the time: what changes after a silence is seen within a second. */
const FIRST_PAUSE_MS = 20
const LAST_PAUSE_MS = 1_000
/** Replies without a record are 8 bytes. */
const NO_RECORDS_BYTES = 8

/** A port to whom wants records: `parentPort` of a worker. */
export interface FollowPort {
  on(event: 'message', listener: (request: FollowRequest) => void): unknown
  postMessage(reply: FollowReply): void
  close(): void
}

/**
 * Follows the journal of a volume in a thread of its own: its calls are synchronous, so that the code of a failure is its own, and none of
 * them waits in the driver, so that the thread can always be ended. Throws WindowsCallError if the volume cannot be opened.
 */
export function serveJournal({ volume, stop }: FollowJob, port: FollowPort, calls: VolumeCalls = kernel32()): void {
  const name = volumeNameOf(volume)
  if (name === undefined) throw new RangeError(`no volume of Windows: ${volume}`)
  const handle = VolumeHandle.toRead(name, calls)
  const journal = new HandleJournal(handle)
  port.on('message', request => {
    const reply = Atomics.load(stop, 0) === 0 ? answer(journal, request, stop) : undefined
    if (reply !== undefined) {
      port.postMessage(reply)
      return
    }
    handle.close()
    port.close()
  })
}

/** Waits until there is something to say; undefined: no longer. */
function answer(journal: HandleJournal, request: FollowRequest, stop: Int32Array): FollowReply | undefined {
  try {
    const now = journal.look()
    if (!isContinued(now, request)) return { now: messageOf(now) }
    return waitForRecords(journal, request.from, stop)
  } catch (error) {
    return isJournalChange(error) ? afterChange(journal, request, error) : failureOf(error)
  }
}

function waitForRecords(journal: HandleJournal, from: number, stop: Int32Array): FollowReply | undefined {
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LAST_PAUSE_MS)) {
    if (Atomics.load(stop, 0) !== 0) return undefined
    const reply = journal.readReply(from)
    const next = new DataView(reply.buffer, reply.byteOffset).getBigInt64(0, true)
    // Records that were passed over move the position on, too.
    if (reply.length > NO_RECORDS_BYTES || next !== BigInt(from)) return { reply: reply.slice() }
    Atomics.wait(stop, 0, 0, pauseMs)
  }
}

function afterChange(journal: HandleJournal, request: FollowRequest, error: unknown): FollowReply {
  try {
    const now = journal.look()
    // The journal is as it was: the call has failed for a reason of its own.
    return isContinued(now, request) ? failureOf(error) : { now: messageOf(now) }
  } catch (again) {
    return failureOf(again)
  }
}

function isContinued(now: JournalNowMessage, { id, from }: FollowRequest): boolean {
  return continuationOf({ id, nextUsn: from }, now).kind === 'replay'
}

function messageOf(now: JournalNowMessage): JournalNowMessage {
  if (typeof now === 'string') return now
  const { id, firstUsn, lowestValidUsn, size } = now
  return { id, firstUsn, lowestValidUsn, size }
}

function failureOf(error: unknown): FollowReply {
  if (error instanceof WindowsCallError) return { call: error.call, windowsCode: error.windowsCode }
  if (!(error instanceof CorruptFileError)) return { failure: error }
  const { file, offset, expected, found } = error
  return { corrupt: { file, offset, expected, found } }
}
