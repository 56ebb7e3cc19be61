export { runSequence, type SequenceHooks } from './random-sequence.js'
export { newReplica, ROOT, StoreDriver } from './store-driver.js'
