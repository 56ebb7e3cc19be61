export { withControlOf } from './simulated-control.js'
