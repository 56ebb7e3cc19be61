export * from './predicate.js'
