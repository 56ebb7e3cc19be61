export { stageScript } from './stages.js'
export { startSystem } from './start.js'
export { START_FLAGS } from './start-flags.js'
export { type Heartbeat, Supervisor, type SupervisorOptions, type SupervisorResult } from './supervisor.js'
