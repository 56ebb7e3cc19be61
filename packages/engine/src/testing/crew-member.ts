import { type MessagePort, workerData } from 'node:worker_threads'
import { type CrewTask, joinTask } from '../verify-crew.js'
import { verdictOf } from './verdict-of.js'

/** A thread of a crew whose verdicts are a function of the block. */
export interface MemberStart {
  readonly port: MessagePort
  /** How it takes part. */
  readonly behaviour: 'decides' | 'has no such segment' | 'fails'
}

const { port, behaviour } = workerData as MemberStart
port.on('message', (task: CrewTask) => {
  try {
    joinTask(task, () => {
      if (behaviour === 'has no such segment') return undefined
      return {
        decide: verdictOf,
        decideAll: (blocks, words) => {
          if (behaviour === 'fails') throw new Error('damaged')
          for (const block of blocks) words[block] = verdictOf(block)
        },
      }
    })
  } catch (error) {
    if (behaviour !== 'fails') throw error
  }
})
