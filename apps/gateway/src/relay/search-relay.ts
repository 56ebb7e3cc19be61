import { CancelledError, UnavailableError } from '@hotpath/model'
import { MAX_BATCH, PeerLostError, type SearchReply, type SearchRequest } from '@hotpath/protocol'
import { DeadlineError } from '../search-backend.js'
import { FairQueue, type Weighted } from './fair-queue.js'

/**
 * Asks the store; `requests` has at least one element, and the answer as many. `parts` has a signal for each where some of them may
 * be given up alone.
 */
export type AskStore = (
  requests: readonly SearchRequest[],
  timeoutMs: number,
  signal: AbortSignal,
  parts?: readonly AbortSignal[],
) => Promise<readonly SearchReply[]>

export interface RelayLimits {
  /** Messages on their way to the store; more only wait there instead of here, where they are shared out fairly. */
  readonly maxMessages: number
  /** Searches in one message. */
  readonly maxBatch: number
  /** Searches that may wait here for one client, and for all. */
  readonly maxWaitingPerClient: number
  readonly maxWaiting: number
}

/**
 * Eight messages keep the store's few workers busy while the next are on their way. 64 searches a message: beyond that
 * nothing is gained (measured over ipc: 144,000 queries/s with 16, 267,000 with 64).
 */
export const SEARCH_LIMITS: RelayLimits = {
  maxMessages: 8,
  maxBatch: 64,
  maxWaitingPerClient: 1_024,
  maxWaiting: 4_096,
}

/** Searches that wait for a clock hold up whatever shares their message, so they travel alone, and more at once. */
export const WAITING_LIMITS: RelayLimits = {
  maxMessages: 64,
  maxBatch: 1,
  maxWaitingPerClient: 256,
  maxWaiting: 1_024,
}

/** Long pages cost megabytes on their way: few at once, and none waits for the other in one message. */
export const LONG_PAGE_LIMITS: RelayLimits = {
  maxMessages: 2,
  maxBatch: 1,
  maxWaitingPerClient: 64,
  maxWaiting: 256,
}

/** The longest time for which a search waits for the same one: most are answered before. */
const FOLLOW_MS = 100

/** What is known of a group of requests whose answers are kept. */
export interface Keeping {
  /** Whether there are answers to all of them by now. */
  areKept(): boolean
  /** The question of each; equal ones have equal answers. */
  readonly keys: readonly string[]
}

/** Requests of one message of a client: their answers go back together. */
interface Group extends Weighted {
  readonly requests: readonly SearchRequest[]
  readonly signal: AbortSignal
  readonly keeping: Keeping | undefined
  readonly cameAt: number
  readonly deadlineAt: number
  readonly resolve: (replies: readonly SearchReply[] | undefined) => void
  readonly reject: (error: unknown) => void
  /** Sent once already, to a store that went away. */
  retried: boolean
  /** Shared a message that failed as a whole: asked again by itself, so that only the one at fault fails. */
  alone: boolean
  /** Answered, failed or given up. */
  settled: boolean
  message: Message | undefined
  /** Those who ask nothing else, and wait for its answers. */
  readonly followers: Follower[]
  /** Waited for the answers of others once: it waits no more. */
  hasFollowed: boolean
}

/** A group whose turn has come while all that it asks was under way. */
interface Follower {
  readonly client: unknown
  readonly group: Group
  /** Groups that it waits for. */
  left: number
  timer: NodeJS.Timeout | undefined
  isFree: boolean
}

/** One message to the store. */
interface Message {
  readonly controller: AbortController
  wanted: number
}

export interface RelayStats {
  readonly waiting: number
  readonly messages: number
  readonly searches: number
  /** Of those, answered while they waited: the store was asked for another. */
  readonly spared: number
  readonly sentMessages: number
  readonly retries: number
  readonly rejected: number
}

/**
 * Brings the searches of many clients to the store in few messages: what comes in one turn of the event loop, or while
 * the store is busy, travels together, clients taking turns. A search that was under way when the store went away is
 * sent once more (searching changes nothing) if its deadline allows. When the store refuses a message that several
 * clients share, each of them is asked again alone. What several ask, and may be kept, is asked once: whoever has his turn
 * while it is under way looks again when it is there. Before his turn he waits for nobody, who may have a long line.
 */
export class SearchRelay<Client> {
  readonly #queue: FairQueue<Client, Group>
  /** By their questions: groups that are on their way, and may be followed. */
  readonly #underWay = new Map<string, Group>()
  /** Searches of followers, by client. */
  readonly #following = new Map<unknown, number>()
  #messages = 0
  #pumpScheduled = false
  readonly #counts = { searches: 0, spared: 0, sentMessages: 0, retries: 0, rejected: 0 }

  constructor(
    readonly ask: AskStore,
    readonly limits: RelayLimits,
  ) {
    this.#queue = new FairQueue(limits.maxWaitingPerClient, limits.maxWaiting)
  }

  /**
   * Answers in the order of `requests`; undefined if they are kept by now. Rejects with CancelledError when `signal` aborts,
   * with UnavailableError when too much waits or the store stays away, and otherwise as `ask` does.
   */
  search(
    client: Client,
    requests: readonly SearchRequest[],
    deadlineAt: number,
    signal: AbortSignal,
    keeping?: Keeping,
  ): Promise<readonly SearchReply[] | undefined> {
    return new Promise((resolve, reject) => {
      if (requests.length === 0) {
        resolve([])
        return
      }
      if (signal.aborted) throw new CancelledError()
      const settle = (then: () => void) => {
        if (group.settled) return
        group.settled = true
        signal.removeEventListener('abort', give)
        then()
      }
      const give = () => {
        this.#queue.remove(client, group)
        const { message } = group
        // The store may stop when nobody wants any of a message's answers.
        if (message !== undefined && --message.wanted === 0) message.controller.abort()
        this.#release(group)
        settle(() => reject(new CancelledError()))
      }
      const group: Group = {
        requests,
        signal,
        keeping,
        weight: requests.length,
        cameAt: performance.now(),
        deadlineAt,
        resolve: replies => settle(() => resolve(replies)),
        reject: error => settle(() => reject(error)),
        retried: false,
        alone: false,
        settled: false,
        message: undefined,
        followers: [],
        hasFollowed: false,
      }
      if (!this.#queue.push(client, group)) {
        this.#counts.rejected++
        throw new UnavailableError('too many searches are waiting; try again')
      }
      signal.addEventListener('abort', give, { once: true })
      this.#counts.searches += requests.length
      this.#schedule()
    })
  }

  stats(): RelayStats {
    return { waiting: this.#queue.weight, messages: this.#messages, ...this.#counts }
  }

  /** After this turn of the event loop, so that what a client sent together travels together. */
  #schedule(): void {
    if (this.#pumpScheduled) return
    this.#pumpScheduled = true
    setImmediate(() => {
      this.#pumpScheduled = false
      this.#pump()
    })
  }

  #pump(): void {
    while (this.#messages < this.limits.maxMessages && this.#queue.weight > 0) {
      // As many messages as may go share what waits: one slow search then holds up as few others as possible.
      const share = Math.ceil(this.#queue.weight / (this.limits.maxMessages - this.#messages))
      const taken = this.#take(Math.min(share, this.limits.maxBatch))
      if (taken.length > 0) void this.#send(taken)
    }
  }

  /** Groups of together at least `wanted` searches if there are as many, and never more than a message may hold. */
  #take(wanted: number): { client: Client; group: Group }[] {
    const taken: { client: Client; group: Group }[] = []
    let weight = 0
    while (weight < wanted) {
      const next = this.#queue.shift(MAX_BATCH - weight)
      if (next === undefined) break
      if (next.group.keeping?.areKept()) {
        this.#counts.spared += next.group.weight
        next.group.resolve(undefined)
        continue
      }
      if (this.#follow(next)) continue
      if (next.group.alone && taken.length > 0) {
        this.#queue.putBack(next.client, next.group)
        break
      }
      if (next.group.alone) return [next]
      weight += next.group.weight
      taken.push(next)
    }
    return taken
  }

  /** Lets a group wait for what is under way, if that is all that it asks. */
  #follow({ client, group }: { client: Client; group: Group }): boolean {
    const { keeping, weight, deadlineAt } = group
    const following = (this.#following.get(client) ?? 0) + weight
    if (keeping === undefined || group.hasFollowed || following > this.limits.maxBatch) return false
    const leaders = new Set<Group>()
    for (const key of keeping.keys) {
      const leader = this.#underWay.get(key)
      // Who has less time asks for himself.
      if (leader === undefined || leader.deadlineAt > deadlineAt) return false
      leaders.add(leader)
    }
    const follower: Follower = { client, group, left: leaders.size, timer: undefined, isFree: false }
    for (const leader of leaders) leader.followers.push(follower)
    // What it waits for may share a message with something that takes long.
    follower.timer = setTimeout(() => {
      this.#free(follower)
      this.#pump()
    }, FOLLOW_MS)
    group.hasFollowed = true
    this.#following.set(client, following)
    return true
  }

  /** A group is not under way any more: its followers look again, when whoever asked has kept its answers. */
  #release(group: Group): void {
    for (const key of group.keeping?.keys ?? []) if (this.#underWay.get(key) === group) this.#underWay.delete(key)
    const free = group.followers.splice(0).filter(follower => --follower.left === 0)
    if (free.length === 0) return
    setImmediate(() => {
      for (const follower of free) this.#free(follower)
      this.#pump()
    })
  }

  /** Gives a follower the answers that are kept, or his turn. */
  #free(follower: Follower): void {
    if (follower.isFree) return
    follower.isFree = true
    clearTimeout(follower.timer)
    const { client, group } = follower
    const left = (this.#following.get(client) ?? 0) - group.weight
    if (left > 0) this.#following.set(client, left)
    else this.#following.delete(client)
    if (group.settled) return
    if (group.keeping?.areKept()) {
      this.#counts.spared += group.weight
      group.resolve(undefined)
    } else this.#queue.putBack(client as Client, group)
  }

  async #send(taken: { client: Client; group: Group }[]): Promise<void> {
    const now = performance.now()
    const message: Message = { controller: new AbortController(), wanted: taken.length }
    for (const { group } of taken) {
      group.message = message
      for (const key of group.keeping?.keys ?? []) this.#underWay.set(key, group)
    }
    const requests = taken.flatMap(({ group }) => group.requests.map(request => withDeadline(request, group, now)))
    const timeoutMs = Math.max(1, Math.max(...taken.map(({ group }) => group.deadlineAt)) - now)
    this.#messages++
    this.#counts.sentMessages++
    try {
      // Whoever shares a message and leaves must not have the store work on for him.
      const parts = taken.length > 1 ? taken.flatMap(({ group }) => group.requests.map(() => group.signal)) : undefined
      const replies = await this.ask(requests, timeoutMs, message.controller.signal, parts)
      let at = 0
      for (const { group } of taken) {
        group.resolve(replies.slice(at, at + group.weight))
        at += group.weight
      }
    } catch (error) {
      const shared = taken.length > 1 && !message.controller.signal.aborted
      for (const { client, group } of taken) this.#fail(client, group, error, shared)
    } finally {
      this.#messages--
      for (const { group } of taken) {
        if (group.message === message) group.message = undefined
        this.#release(group)
      }
      this.#pump()
    }
  }

  #fail(client: Client, group: Group, error: unknown, shared: boolean): void {
    if (group.settled) return
    const late = error instanceof DeadlineError || error instanceof UnavailableError
    if (shared && !late && performance.now() < group.deadlineAt) {
      group.alone = true
      group.message = undefined
      this.#queue.putBack(client, group)
    } else if (error instanceof PeerLostError && !group.retried && performance.now() < group.deadlineAt) {
      group.retried = true
      group.message = undefined
      this.#counts.retries++
      this.#queue.putBack(client, group)
    } else if (error instanceof PeerLostError) {
      group.reject(new UnavailableError('the index store went away', { cause: error }))
    } else group.reject(error)
  }
}

/** The request with the time that is left: its own, less what it waited here, or that of its message. */
function withDeadline(request: SearchRequest, group: Group, now: number): SearchRequest {
  const own = request.deadlineMs > 0 ? group.cameAt + request.deadlineMs : Number.POSITIVE_INFINITY
  return { ...request, deadlineMs: Math.max(1, Math.min(own, group.deadlineAt) - now) }
}
