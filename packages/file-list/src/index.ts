export * from './bad-row.js'
export { VIRTUAL_ROOT } from './directory-table.js'
export * from './list-parser.js'
