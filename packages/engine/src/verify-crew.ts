import type { Table } from '@hotpath/index-format'
import type { NameExpression } from './name-expression.js'
import type { BlockDecider } from './name-verdicts.js'

/** Blocks that a thread claims at a time: some 150 µs of work at 0.5 µs a block, so that nobody waits long for another's last claim. */
const CLAIM_BLOCKS = 256
/** Blocks of one task: the shared lists are made for so many. */
const TASK_BLOCKS = 16_384
const MAX_CLAIMS = TASK_BLOCKS / CLAIM_BLOCKS
/** Below so many blocks asking for help costs more than it saves: they need two milliseconds, and sending the task took 0.8 ms of a search on two busy cores. */
const LEAST_BLOCKS = 4_096
/** Milliseconds after which a thread that claimed blocks counts as lost; its blocks are decided here then. */
const LOST_MS = 2_000
/** States of a claim. */
const OPEN = 0
const DONE = 1
const FAILED = 2

/** Which names are asked for; segment files never change, so replicas of any age agree about them. */
export interface CrewSubject {
  readonly file: string
  readonly table: Table
  readonly expression: NameExpression
}

/** What a thread is asked to join. Buffers are shared with all that were asked. */
export interface CrewTask extends CrewSubject {
  readonly job: number
  readonly blockCount: number
  readonly shared: SharedTask
}

export interface SharedTask {
  /** Word 0: the job in the high half, the next claim in the low half; then the state of each claim. */
  readonly control: Int32Array<SharedArrayBuffer>
  /** Numbers of the blocks. */
  readonly blocks: Uint32Array<SharedArrayBuffer>
  /** Their verdicts, by position. */
  readonly words: Uint32Array<SharedArrayBuffer>
}

/** Where tasks are sent: a MessagePort to another query worker. */
export interface CrewPort {
  postMessage(task: CrewTask): void
}

/**
 * Verifies names of many blocks on several threads: all take claims from one counter, so a thread that is busy elsewhere
 * costs nothing, and one that comes late finds nothing left. A prototype of
 * verification halved its time with a second thread (45.7 to 23.6 ms for 79,411 blocks); what this gains on free cores is not measured yet.
 */
export class VerifyCrew {
  private shared = newSharedTask()
  private job = 0

  constructor(private readonly peers: readonly CrewPort[]) {}

  /** A decider that asks the crew when there is much to decide. */
  assist(own: BlockDecider, subject: CrewSubject): BlockDecider {
    if (this.peers.length === 0) return own
    return {
      decide: block => own.decide(block),
      decideAll: (blocks, words) => {
        if (blocks.length < LEAST_BLOCKS) own.decideAll(blocks, words)
        else
          for (let at = 0; at < blocks.length; at += TASK_BLOCKS) {
            this.decideTogether(own, subject, blocks.subarray(at, at + TASK_BLOCKS), words)
          }
      },
    }
  }

  private decideTogether(own: BlockDecider, subject: CrewSubject, blocks: Uint32Array, words: Uint32Array): void {
    const { shared } = this
    this.job = (this.job % 0x7fff) + 1
    shared.blocks.set(blocks)
    shared.control.fill(OPEN, 1)
    Atomics.store(shared.control, 0, this.job << 16)
    const task: CrewTask = { ...subject, job: this.job, blockCount: blocks.length, shared }
    for (const peer of this.peers) peer.postMessage(task)
    const mine = new Set<number>()
    for (let claim = nextClaim(task); claim >= 0; claim = nextClaim(task)) {
      mine.add(claim)
      own.decideAll(claimed(blocks, claim), words)
    }
    for (let claim = 0; claim * CLAIM_BLOCKS < blocks.length; claim++) {
      if (mine.has(claim)) continue
      const part = claimed(blocks, claim)
      // A thread that found the file damaged says no more: the same error comes up here, where it is dealt with.
      if (this.awaitClaim(claim) !== DONE) own.decideAll(part, words)
      else for (let i = 0; i < part.length; i++) words[part[i]] = shared.words[claim * CLAIM_BLOCKS + i]
    }
  }

  private awaitClaim(claim: number): number {
    const { control } = this.shared
    if (Atomics.wait(control, claim + 1, OPEN, LOST_MS) === 'timed-out') {
      // Whoever is late writes to buffers that nobody reads any more.
      this.shared = newSharedTask()
      return FAILED
    }
    return Atomics.load(control, claim + 1)
  }
}

/**
 * Takes part in a task of another thread until nothing is left to claim.
 * @param deciderOf a decider over the subject's segment; undefined if it is not open here
 */
export function joinTask(task: CrewTask, deciderOf: (subject: CrewSubject) => BlockDecider | undefined): void {
  const { control, blocks, words } = task.shared
  let decider: BlockDecider | undefined
  for (let claim = nextClaim(task); claim >= 0; claim = nextClaim(task)) {
    let state = FAILED
    try {
      decider ??= deciderOf(task)
      if (decider) {
        // A copy: what the kernels take is not shared.
        const part = new Uint32Array(claimed(blocks.subarray(0, task.blockCount), claim))
        const verdicts = verdictsUpTo(part[part.length - 1])
        decider.decideAll(part, verdicts)
        for (let i = 0; i < part.length; i++) {
          words[claim * CLAIM_BLOCKS + i] = verdicts[part[i]]
          verdicts[part[i]] = 0
        }
        state = DONE
      }
    } finally {
      if (state === FAILED) kept = new Uint32Array(0)
      // Also when it failed: the other thread waits for this claim.
      Atomics.store(control, claim + 1, state)
      Atomics.notify(control, claim + 1)
    }
    if (state === FAILED) return
  }
}

/** Verdicts by block, all zero between claims: kept, since fresh memory costs more than the work on it. */
let kept = new Uint32Array(0)

function verdictsUpTo(block: number): Uint32Array {
  if (block >= kept.length) kept = new Uint32Array(Math.max(block + 1, kept.length * 2))
  return kept
}

/** Number of a claim that is this thread's from now on, or -1 if none is left or the job is over. */
function nextClaim({ job, blockCount, shared: { control } }: CrewTask): number {
  for (;;) {
    const word = Atomics.load(control, 0)
    const claim = word & 0xffff
    if (word >>> 16 !== job || claim * CLAIM_BLOCKS >= blockCount) return -1
    if (Atomics.compareExchange(control, 0, word, word + 1) === word) return claim
  }
}

function claimed(blocks: Uint32Array, claim: number): Uint32Array {
  return blocks.subarray(claim * CLAIM_BLOCKS, (claim + 1) * CLAIM_BLOCKS)
}

function newSharedTask(): SharedTask {
  return {
    control: new Int32Array(new SharedArrayBuffer((1 + MAX_CLAIMS) * 4)),
    blocks: new Uint32Array(new SharedArrayBuffer(TASK_BLOCKS * 4)),
    words: new Uint32Array(new SharedArrayBuffer(TASK_BLOCKS * 4)),
  }
}
