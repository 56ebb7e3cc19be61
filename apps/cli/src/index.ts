export type { CommandContext } from './context.js'
export type { IndexClient } from './index-client.js'
export { runCommand } from './program.js'
