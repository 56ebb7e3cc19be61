export { runSequence, type SequenceHooks } from './random-sequence.js'
export { ROOT, StoreDriver } from './store-driver.js'
