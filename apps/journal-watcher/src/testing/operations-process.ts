import { doSomething, randomOf } from './random-operations.js'

/** Does random things to a tree as another user: `operations-process.js ROOT OUTSIDE SEED`; for each number that it is sent so many, and answers with what it did. */
const [root, outside, seed] = process.argv.slice(2)
const random = randomOf(Number(seed))
process.on('message', (count: number) => {
  // A write by a name that is gone before anybody looks cannot be seen without privilege, so files have one name.
  process.send?.(Array.from({ length: count }, () => doSomething(root!, outside!, random, false)))
})
process.on('disconnect', () => process.exit())
