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
import type { Keeping } from '../relay/search-relay.js'
import type { AnswerCache, KeptAnswer } from './answer-cache.js'

/** Asks the store, in the order of `requests`; undefined if all of them are kept by now. */
export type AskSearches<Client> = (
  client: Client,
  requests: readonly SearchRequest[],
  deadlineAt: number,
  signal: AbortSignal,
  keeping?: Keeping,
) => Promise<readonly SearchReply[] | undefined>

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
    if (missing.length > 0) {
      const missed = keys.filter((_, at) => found[at] === undefined)
      const keeping = this.#keepingOf(missing, missed, begun)
      const replies = await this.ask(client, missing, deadlineAt, asker.signal, keeping)
      const answers = (replies ?? keeping?.kept ?? []).values()
      for (const [at, request] of requests.entries())
        found[at] ??= this.#encode(request, keys[at], answers.next().value!, begun)
    }
    return found as readonly Uint8Array[]
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
    const keeping = this.#keepingOf([request], [key], begun)
    const replies = await this.ask(client, [request], deadlineAt, asker.signal, keeping)
    if (replies === undefined) return decodeSearchReply(keeping!.kept[0]!.bytes)
    const [reply] = replies
    this.#keep(request, key, reply!, begun)
    return reply!
  }

  /** An answer of the store, which is kept, or one that was kept. */
  #encode(
    request: SearchRequest,
    key: string | undefined,
    answer: SearchReply | KeptAnswer,
    begun: number | undefined,
  ) {
    if ('bytes' in answer) return answer.bytes
    const encoded = encodeSearchReply(answer)
    this.#keep(request, key, answer, begun, encoded)
    return encoded
  }

  /** Of searches that were not kept when they came; undefined if some of them will never be. */
  #keepingOf(
    requests: readonly SearchRequest[],
    keys: readonly (string | undefined)[],
    begun: number | undefined,
  ): KeptMeanwhile | undefined {
    if (begun === undefined || !requests.every(mayBeKept) || !keys.every(key => key !== undefined)) return undefined
    return new KeptMeanwhile(this.cache, requests, keys)
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

/** What is kept of searches while they wait. */
class KeptMeanwhile implements Keeping {
  /** The answers, once there are all of them. */
  kept: readonly KeptAnswer[] = []

  constructor(
    readonly cache: AnswerCache,
    readonly requests: readonly SearchRequest[],
    readonly keys: readonly string[],
  ) {}

  areKept(): boolean {
    const answers = this.keys.map((key, at) => this.cache.find(key, this.requests[at]!.minClock))
    if (!answers.every(answer => answer !== undefined)) return false
    this.kept = answers
    return true
  }
}

/** What other users may see can change without a word: nothing of theirs is kept, nor is anything kept given to them. */
function keyOf(request: SearchRequest): string | undefined {
  if (request.viewer !== undefined) return undefined
  return searchKey(encodeSearchRequest(request))
}

/** Whether what is said of it stays right until an event says otherwise. */
function mayBeKept({ text, explain, noCache }: SearchRequest): boolean {
  if (explain || noCache) return false
  return !dependsOnTime(Buffer.from(text.buffer, text.byteOffset, text.byteLength).toString())
}

/** Whether the answer is of that kind, and of an index that is complete. */
function isLasting(request: SearchRequest, reply: SearchReply): boolean {
  // What was kept for another meanwhile stays as it is, with its age.
  if (reply.error !== undefined || reply.partial || reply.cached) return false
  // A lag grows while nobody tells.
  if (reply.fresh.lagMs !== 0) return false
  return mayBeKept({ ...request, noCache: false })
}
