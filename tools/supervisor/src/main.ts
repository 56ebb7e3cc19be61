import { startSystem } from './start.js'

process.exit(await startSystem(process.argv.slice(2)))
