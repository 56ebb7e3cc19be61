export * from './crc32c.js'
export * from './malformed-bytes-error.js'
export * from './names-block.js'
export * from './varint.js'
