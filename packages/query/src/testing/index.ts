export * from './random.js'
export * from './random-entries.js'
export * from './random-query.js'
