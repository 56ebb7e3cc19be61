export { System } from './system.js'
