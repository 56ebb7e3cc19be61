import {
  decodeSearchReply,
  encodeReplies,
  encodeSearchReply,
  encodeSearchRequest,
  markCached,
  noHits,
  type SearchReply,
  type SearchRequest,
  scanSearches,
  searchKey,
} from '@hotpath/protocol'
import { dependsOnTime } from '@hotpath/query'
import type { KnownReplies } from '../relay/search-relay.js'
import type { AnswerCache } from './answer-cache.js'

/** Asks the store, in the order of `requests`. */
export type AskSearches<Client> = (
  client: Client,
  requests: readonly SearchRequest[],
  deadlineAt: number,
  signal: AbortSignal,
  known?: KnownReplies,
) => Promise<readonly SearchReply[]>

/** Who waits for an answer. */
export interface Asker {
  readonly signal: AbortSignal
}

/** More than this is sent in pieces, which are cut elsewhere. */
const MAX_AT_ONCE_BYTES = 1024 * 1024

/** Searches that are answered from the cache where it has an answer, and else by the store. */
export class KeptSearches<Client> {
  constructor(
    readonly cache: AnswerCache,
    readonly ask: AskSearches<Client>,
  ) {}

  /**
   * The encoded reply to an encoded message of searches, if there are answers to all of them. Cost: some microseconds, and a copy of
   * the answers.
   */
  answerAtOnce(message: Uint8Array, sender: string): Uint8Array | undefined {
    const scanned = scanSearches(message)
    if (scanned === undefined) return undefined
    const { requestId, isBatch, searches } = scanned
    const replies: Uint8Array[] = []
    let bytes = 0
    for (const { key, minClock, noCache, known } of searches) {
      const answer = noCache ? undefined : this.cache.find(key, minClock)
      if (answer === undefined) return undefined
      const reply = known === answer.number ? answer.unchanged : answer.bytes
      bytes += reply.byteLength
      if (bytes > MAX_AT_ONCE_BYTES) return undefined
      replies.push(reply)
    }
    this.cache.count(replies.length, 0)
    return encodeReplies(requestId, sender, replies, isBatch)
  }

  /**
   * Encoded replies in the order of `requests`. Rejects as `ask` does, or with what `admit` throws.
   *
   * @param asker whose signal is asked for only if it must wait
   * @param admit told how many the store must answer
   */
  async encoded(
    client: Client,
    requests: readonly SearchRequest[],
    deadlineAt: number,
    asker: Asker,
    admit: (missing: number) => void = () => undefined,
  ): Promise<readonly Uint8Array[]> {
    const keys = requests.map(keyOf)
    const found = requests.map((request, at) => this.#find(request, keys[at]))
    const missing = requests.filter((_, at) => found[at] === undefined)
    admit(missing.length)
    this.cache.count(requests.length - missing.length, 0)
    const begun = this.cache.begin()
    const replies =
      missing.length === 0 ? [] : await this.ask(client, missing, deadlineAt, asker.signal, () => this.#known(missing))
    let next = 0
    return found.map((bytes, at) => {
      if (bytes !== undefined) return bytes
      const reply = replies[next++]!
      const encoded = encodeSearchReply(reply)
      this.#keep(requests[at]!, keys[at], reply, begun, encoded)
      return encoded
    })
  }

  /** The reply to one search. Rejects as `ask` does. */
  async one(client: Client, request: SearchRequest, deadlineAt: number, asker: Asker): Promise<SearchReply> {
    const key = keyOf(request)
    const bytes = this.#find(request, key)
    if (bytes !== undefined) {
      this.cache.count(1, 0)
      return decodeSearchReply(bytes)
    }
    const begun = this.cache.begin()
    const [reply] = await this.ask(client, [request], deadlineAt, asker.signal, () => this.#known([request]))
    this.#keep(request, key, reply!, begun)
    return reply!
  }

  /** Replies to searches that were not kept when they came, if all of them are now. */
  #known(requests: readonly SearchRequest[]): readonly SearchReply[] | undefined {
    const replies: SearchReply[] = []
    for (const request of requests) {
      const key = keyOf(request)
      const answer = request.noCache || key === undefined ? undefined : this.cache.find(key, request.minClock)
      if (answer === undefined) return undefined
      replies.push(decodeSearchReply(answer.bytes))
    }
    return replies
  }

  #find({ noCache, minClock, known }: SearchRequest, key: string | undefined): Uint8Array | undefined {
    const answer = noCache || key === undefined ? undefined : this.cache.find(key, minClock)
    if (answer === undefined) this.cache.count(0, noCache ? 0 : 1, noCache ? 1 : 0)
    return known !== undefined && known === answer?.number ? answer.unchanged : answer?.bytes
  }

  #keep(
    request: SearchRequest,
    key: string | undefined,
    reply: SearchReply,
    begun: number | undefined,
    encoded?: Uint8Array,
  ): void {
    if (key === undefined || begun === undefined || !isLasting(request, reply)) return
    const number = this.cache.nextNumber()
    this.cache.keep(key, begun, {
      number,
      bytes: markCached(encoded ?? encodeSearchReply(reply), number),
      unchanged: encodeSearchReply({ ...reply, rows: noHits(), number, cached: true, unchanged: true }),
      clock: reply.clock,
    })
  }
}

/** What other users may see can change without a word: nothing of theirs is kept, nor is anything kept given to them. */
function keyOf(request: SearchRequest): string | undefined {
  if (request.viewer !== undefined) return undefined
  return searchKey(encodeSearchRequest(request))
}

/** Whether the answer stays right until an event says otherwise. */
function isLasting(request: SearchRequest, reply: SearchReply): boolean {
  // What was kept for another meanwhile stays as it is, with its age.
  if (request.explain || reply.error !== undefined || reply.partial || reply.cached) return false
  // A lag grows while nobody tells.
  if (reply.fresh.lagMs !== 0) return false
  return !dependsOnTime(Buffer.from(request.text.buffer, request.text.byteOffset, request.text.byteLength).toString())
}
