export * from './malformed-bytes-error.js'
export * from './names-block.js'
export * from './varint.js'
