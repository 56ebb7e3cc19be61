/**
 * Finds the searches in an encoded Envelope without decoding it: where an answer is at hand, decoding the question costs
 * more than answering it.
 *
 * Only what our own encoder writes is understood: known fields, each at most once, in ascending order. Anything else is
 * left to `decodeEnvelope`, which also says what is wrong with it. Nothing is read beyond the end of the message or of
 * the part that holds it.
 */
import { MAX_BATCH, MAX_CLOCK_BYTES, MAX_ID_BYTES, PROTOCOL_VERSION } from './limits.js'

/** A search as it stands in a message. */
export interface ScannedSearch {
  /**
   * Bytes of the request as latin1, without what does not change the answer (deadline, least clock, cache control, the answer that is known): requests with
   * the same key ask for the same. Not every key belongs to a request that keeps the contract.
   */
  readonly key: string
  /** Empty: any answer will do. */
  readonly minClock: string
  /** The asker wants no answer that was kept. */
  readonly noCache: boolean
  /** Number of an answer that the asker has; 0: none. */
  readonly known: number
}

export interface ScannedMessage {
  readonly requestId: number
  /** One `searchRequest`, or a `searchBatch` of at least one. */
  readonly isBatch: boolean
  readonly searches: readonly ScannedSearch[]
}

const VARINT = 0
const FIXED64 = 1
const LENGTH_DELIMITED = 2

const FIELD_VERSION = 1
const FIELD_REQUEST_ID = 2
const FIELD_SENDER = 3
const FIELD_DEADLINE = 4
const FIELD_FLAGS = 5
const FIELD_SEARCH_REQUEST = 60
const FIELD_SEARCH_BATCH = 62

const FIELD_MIN_CLOCK = 7
const FIELD_DEADLINE_OF_SEARCH = 12
const FIELD_NO_CACHE = 14
const FIELD_KNOWN = 16
/** Wire types of the fields of a SearchRequest by number. */
const SEARCH_FIELDS: readonly (number | undefined)[] = [
  undefined,
  LENGTH_DELIMITED, // text
  VARINT, // limit
  VARINT, // offset
  VARINT, // sort
  VARINT, // descending
  LENGTH_DELIMITED, // under
  LENGTH_DELIMITED, // min_clock
  VARINT, // match
  VARINT, // case_mode
  VARINT, // count_only
  VARINT, // explain
  FIXED64, // deadline_ms
  VARINT, // fuzzy
  VARINT, // no_cache
  undefined, // viewer: searches of other users are not answered from here
  FIXED64, // known
]

/** Reads varints of at most 32 bits and skips what lies between; `failed` once something is not as expected. */
class Cursor {
  failed = false

  constructor(
    readonly bytes: Buffer,
    public at: number,
    public end: number,
  ) {}

  varint(): number {
    const { bytes, end } = this
    let value = 0
    for (let shift = 0; shift < 35 && this.at < end; shift += 7) {
      const byte = bytes[this.at++]!
      // Five bytes hold 35 bits: more than 32 is for the decoder to judge.
      if (shift === 28 && byte > 0x0f) break
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
    this.failed = true
    return 0
  }

  /** The length of what follows; the cursor is at its beginning. */
  length(): number {
    const length = this.varint()
    if (length > this.end - this.at) this.failed = true
    return this.failed ? 0 : length
  }

  /** What is preceded by its length. */
  skip(): void {
    const length = this.length()
    this.at += length
  }

  /** The same of at most so many characters of ASCII, as ids and clocks are. @returns where they begin */
  skipAscii(max: number): number {
    const length = this.length()
    const from = this.at
    this.at += length
    if (length > max) this.failed = true
    for (let at = from; at < this.at && !this.failed; at++) if (this.bytes[at]! >= 0x80) this.failed = true
    return from
  }

  /** A finite double that is not negative. */
  duration(): void {
    const last = this.at + 7
    if (last >= this.end) {
      this.failed = true
      return
    }
    const high = this.bytes[last]!
    if (high >= 0x7f && (high !== 0x7f || this.bytes[last - 1]! >= 0xf0)) this.failed = true
    this.at += 8
  }

  /** A double that is a whole number from 0. */
  number(): number {
    const from = this.at
    this.duration()
    const value = this.failed ? 0 : this.bytes.readDoubleLE(from)
    if (!Number.isSafeInteger(value)) this.failed = true
    return value
  }
}

/** The searches of a message; undefined if it is none of searches, or not as our encoder writes them. */
export function scanSearches(message: Uint8Array): ScannedMessage | undefined {
  const bytes = Buffer.from(message.buffer, message.byteOffset, message.byteLength)
  const cursor = new Cursor(bytes, 0, bytes.length)
  let requestId = 0
  let last = 0
  let version = 0
  while (!cursor.failed && cursor.at < cursor.end) {
    const tag = cursor.varint()
    const field = tag >>> 3
    if (field <= last) return undefined
    last = field
    switch (tag) {
      case (FIELD_VERSION << 3) | VARINT:
        version = cursor.varint()
        break
      case (FIELD_REQUEST_ID << 3) | VARINT:
        requestId = cursor.varint()
        break
      case (FIELD_SENDER << 3) | LENGTH_DELIMITED:
        cursor.skipAscii(MAX_ID_BYTES)
        break
      case (FIELD_DEADLINE << 3) | FIXED64:
        cursor.duration()
        break
      case (FIELD_FLAGS << 3) | VARINT:
        if (cursor.varint() !== 0) return undefined
        break
      case (FIELD_SEARCH_REQUEST << 3) | LENGTH_DELIMITED:
      case (FIELD_SEARCH_BATCH << 3) | LENGTH_DELIMITED: {
        const length = cursor.length()
        // A body is the last field of an Envelope that our encoder writes.
        if (cursor.failed || cursor.at + length !== cursor.end || version !== PROTOCOL_VERSION || requestId === 0) {
          return undefined
        }
        const isBatch = field === FIELD_SEARCH_BATCH
        const searches = isBatch ? scanBatch(cursor) : only(scanSearch(cursor, cursor.end))
        return searches && { requestId, isBatch, searches }
      }
      default:
        return undefined
    }
  }
  return undefined
}

/** The key of an encoded SearchRequest; undefined if it is not as our encoder writes it. */
export function searchKey(request: Uint8Array): string | undefined {
  const bytes = Buffer.from(request.buffer, request.byteOffset, request.byteLength)
  return scanSearch(new Cursor(bytes, 0, bytes.length), bytes.length)?.key
}

function only(search: ScannedSearch | undefined): ScannedSearch[] | undefined {
  return search && [search]
}

const ELEMENT = (1 << 3) | LENGTH_DELIMITED

function scanBatch(cursor: Cursor): ScannedSearch[] | undefined {
  const searches: ScannedSearch[] = []
  while (cursor.at < cursor.end) {
    if (cursor.varint() !== ELEMENT) return undefined
    const length = cursor.length()
    const search = cursor.failed || searches.length === MAX_BATCH ? undefined : scanSearch(cursor, cursor.at + length)
    if (search === undefined) return undefined
    searches.push(search)
  }
  return searches.length === 0 ? undefined : searches
}

function scanSearch(cursor: Cursor, end: number): ScannedSearch | undefined {
  const { bytes, end: outerEnd } = cursor
  cursor.end = end
  let key = ''
  let minClock = ''
  let noCache = false
  let known = 0
  /** Where what belongs to the key and is not in it yet begins. */
  let from = cursor.at
  let last = 0
  while (cursor.at < end) {
    const start = cursor.at
    const tag = cursor.varint()
    const field = tag >>> 3
    if (cursor.failed || field <= last || SEARCH_FIELDS[field] !== (tag & 7)) return undefined
    last = field
    switch (field) {
      case FIELD_MIN_CLOCK:
        minClock = bytes.toString('latin1', cursor.skipAscii(MAX_CLOCK_BYTES), cursor.at)
        break
      case FIELD_DEADLINE_OF_SEARCH:
        cursor.duration()
        break
      case FIELD_NO_CACHE:
        noCache = cursor.varint() !== 0
        break
      case FIELD_KNOWN:
        known = cursor.number()
        break
      default:
        if ((tag & 7) === VARINT) cursor.varint()
        else cursor.skip()
        if (cursor.failed) return undefined
        continue
    }
    if (cursor.failed) return undefined
    key += bytes.toString('latin1', from, start)
    from = cursor.at
  }
  if (from < end) key += bytes.toString('latin1', from, end)
  cursor.end = outerEnd
  return { key, minClock, noCache, known }
}
